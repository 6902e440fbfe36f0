import { decodeTwosComplement, encodeTwosComplement, type DataFile } from '@floe/iceberg/values'
import { truncateLower, truncateUpper } from './bound-truncation.ts'
import type { Leaf } from './file-schema.ts'
import type { PlacedRowGroup } from './footer.ts'
import { metricsModeOf, type MetricsMode, type MetricsSettings } from './metrics-mode.ts'
import { mergeRanges, type ValueRange } from './value-range.ts'

/** What a manifest says about the content of a file (spec "Data File Fields"). */
export type FileMetrics = Pick<
  DataFile,
  | 'recordCount'
  | 'fileSizeInBytes'
  | 'columnSizes'
  | 'valueCounts'
  | 'nullValueCounts'
  | 'nanValueCounts'
  | 'lowerBounds'
  | 'upperBounds'
  | 'splitOffsets'
>

type ColumnTotals = {
  readonly bytes: number
  readonly values: number
  readonly nulls: number
  readonly nans: number
  readonly range: ValueRange | undefined
}

/** Metrics of a finished file. Columns of mode `none` are in no map; bounds of list and map parts are left out. */
export function collectMetrics(
  leaves: readonly Leaf[],
  rowGroups: readonly PlacedRowGroup[],
  settings: MetricsSettings,
): Omit<FileMetrics, 'recordCount' | 'fileSizeInBytes'> {
  const columnSizes = new Map<number, number>()
  const valueCounts = new Map<number, number>()
  const nullValueCounts = new Map<number, number>()
  const nanValueCounts = new Map<number, number>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  leaves.forEach((leaf, index) => {
    const mode = metricsModeOf(settings, leaf.name)
    if (mode.kind === 'none') return
    const totals = totalsOf(leaf, index, rowGroups)
    columnSizes.set(leaf.fieldId, totals.bytes)
    valueCounts.set(leaf.fieldId, totals.values)
    nullValueCounts.set(leaf.fieldId, totals.nulls)
    if (leaf.order === 'float' || leaf.order === 'double') nanValueCounts.set(leaf.fieldId, totals.nans)
    if (totals.range === undefined || leaf.repetitionLevelMax > 0) return
    const lower = lowerBound(leaf, totals.range.min, mode)
    const upper = upperBound(leaf, totals.range.max, mode)
    if (lower !== undefined) lowerBounds.set(leaf.fieldId, lower)
    if (upper !== undefined) upperBounds.set(leaf.fieldId, upper)
  })
  const splitOffsets = rowGroups.map((rowGroup) => rowGroup.chunks[0]?.offset ?? 0)
  return { columnSizes, valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds, splitOffsets }
}

function totalsOf(leaf: Leaf, index: number, rowGroups: readonly PlacedRowGroup[]): ColumnTotals {
  let totals: ColumnTotals = { bytes: 0, values: 0, nulls: 0, nans: 0, range: undefined }
  for (const rowGroup of rowGroups) {
    const chunk = rowGroup.chunks[index]
    if (chunk === undefined) continue
    totals = {
      bytes: totals.bytes + chunk.byteCount,
      values: totals.values + chunk.levelCount,
      nulls: totals.nulls + chunk.nullCount,
      nans: totals.nans + chunk.summary.nanCount,
      range: mergeRanges(leaf, totals.range, chunk.summary.range),
    }
  }
  return totals
}

function lowerBound(leaf: Leaf, value: Uint8Array, mode: MetricsMode): Uint8Array | undefined {
  if (mode.kind === 'none' || mode.kind === 'counts') return undefined
  if (mode.kind === 'truncate' && isTruncated(leaf)) return truncateLower(leaf.type, value, mode.length)
  return singleValue(leaf, value)
}

function upperBound(leaf: Leaf, value: Uint8Array, mode: MetricsMode): Uint8Array | undefined {
  if (mode.kind === 'none' || mode.kind === 'counts') return undefined
  if (mode.kind === 'truncate' && isTruncated(leaf)) return truncateUpper(leaf.type, value, mode.length)
  return singleValue(leaf, value)
}

function isTruncated(leaf: Leaf): boolean {
  return leaf.type.kind === 'string' || leaf.type.kind === 'binary' || leaf.type.kind === 'fixed'
}

/** Decimals are stored big-endian in as few bytes as hold them (spec Appendix D); all others as Parquet has them. */
function singleValue(leaf: Leaf, value: Uint8Array): Uint8Array {
  if (leaf.type.kind !== 'decimal') return value
  return encodeTwosComplement(decodeTwosComplement(leaf.physical === 'fixed' ? value : value.toReversed()))
}
