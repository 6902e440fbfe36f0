import type { LeafColumn, LeafValues } from './column.ts'
import { valueWidth } from './plain-encoding.ts'

/** Entries [entryStart, entryEnd) of a column and their non-null values. */
export type PageSpan = {
  readonly entryStart: number
  readonly entryEnd: number
  readonly valueStart: number
  readonly valueEnd: number
}

export type PageLimits = {
  readonly pageBytes: number
  readonly pageRowsMax: number
  /** Bits of a dictionary id; `undefined` for plain values. */
  readonly idBits: number | undefined
  readonly definitionLevelMax: number
}

/** Cuts a column into pages that begin at a row and hold at least one. */
export function planPages(column: LeafColumn, limits: PageLimits): readonly PageSpan[] {
  const pages: PageSpan[] = []
  let entryStart = 0
  let valueStart = 0
  while (entryStart < column.levelCount) {
    const page = nextPage(column, entryStart, valueStart, limits)
    pages.push(page)
    entryStart = page.entryEnd
    valueStart = page.valueEnd
  }
  return pages
}

function nextPage(column: LeafColumn, entryStart: number, valueStart: number, limits: PageLimits): PageSpan {
  const valueLimit = Math.min(
    column.valueCount,
    valueStart + valuesPerPage(column.values, valueStart, limits),
  )
  const { definitionLevels, repetitionLevels } = column
  if (definitionLevels === undefined && repetitionLevels === undefined) {
    const count = Math.min(valueLimit - valueStart, limits.pageRowsMax)
    return { entryStart, entryEnd: entryStart + count, valueStart, valueEnd: valueStart + count }
  }
  // Mostly all that is left is one page: then no level is looked at.
  if (
    repetitionLevels === undefined &&
    valueLimit === column.valueCount &&
    column.levelCount - entryStart <= limits.pageRowsMax
  ) {
    return { entryStart, entryEnd: column.levelCount, valueStart, valueEnd: column.valueCount }
  }
  let entryEnd = entryStart
  let valueEnd = valueStart
  let rows = 0
  let rowStart = entryStart
  let rowValueStart = valueStart
  while (entryEnd < column.levelCount) {
    if (repetitionLevels === undefined || repetitionLevels[entryEnd] === 0) {
      if (rows === limits.pageRowsMax) break
      rows++
      rowStart = entryEnd
      rowValueStart = valueEnd
    }
    const isValue = definitionLevels === undefined || definitionLevels[entryEnd] === limits.definitionLevelMax
    if (isValue && valueEnd >= valueLimit && rows > 1) {
      return { entryStart, entryEnd: rowStart, valueStart, valueEnd: rowValueStart }
    }
    if (isValue) valueEnd++
    entryEnd++
  }
  return { entryStart, entryEnd, valueStart, valueEnd }
}

function valuesPerPage(values: LeafValues, start: number, limits: PageLimits): number {
  const { pageBytes, idBits } = limits
  if (idBits !== undefined) return Math.max(1, Math.floor((pageBytes * 8) / idBits))
  if (values.layout === 'boolean') return pageBytes * 8
  if (values.layout === 'bytes') return byteArraysWithin(values.offsets, start, pageBytes)
  return Math.max(1, Math.floor(pageBytes / Math.max(1, valueWidth(values))))
}

/** How many values from `start` on fit in `bytes`, lengths included; at least 1. Offsets ascend, so by bisection. */
function byteArraysWithin(offsets: Int32Array, start: number, bytes: number): number {
  const first = offsets[start] ?? 0
  let fits = 1
  let exceeds = Math.max(2, Math.min(offsets.length - start, Math.floor(bytes / 4) + 1))
  while (exceeds - fits > 1) {
    const middle = (fits + exceeds) >>> 1
    const size = (offsets[start + middle] as number) - first + 4 * middle
    if (size <= bytes) fits = middle
    else exceeds = middle
  }
  return fits
}
