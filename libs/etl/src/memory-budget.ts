import { FloeError } from '@floe/iceberg'
import type { StoreSettings } from '@floe/storage'
import type { LoadLimits } from './load-task.ts'

const MiB = 1024 * 1024

/** Less than this and a worker cannot hold a batch beside the parts of an upload. */
const workerBytesMin = 48 * MiB
/** From here on uploads keep their usual parts; below it the smallest that S3 takes, one under way. */
const workerBytesForFullParts = 128 * MiB
const fullParts = { partBytes: 8 * MiB, inFlightPartsMax: 3 }
const smallParts = { partBytes: 5 * MiB, inFlightPartsMax: 1 }
/** Of a worker's share: rows that wait for their partition, open files, dictionaries of text columns. */
const bufferedShare = 0.25
const openFilesShare = 0.25
const dictionaryShare = 0.125
const openFilesCeiling = 24
/** Buffers of a batch grow by doubling, and their old half is held while they do; its Parquet pages come on top. */
const batchCopies = 4
const batchBytesMin = 256 * 1024
const batchBytesCeiling = 64 * MiB
const batchRowsCeiling = 262_144
/** What a row takes of a column at least, values and levels: half of what the widest fixed type takes. */
const cellBytes = 8

export type MemoryBudget = {
  readonly limits: LoadLimits
  readonly parts: Required<Pick<StoreSettings, 'partBytes' | 'inFlightPartsMax'>>
}

/** Workers that a budget has room for, at most `wanted`. @throws invalid-input when there is room for none */
export function workersWithin(memoryBytes: number, wanted: number): number {
  const room = Math.floor(memoryBytes / workerBytesMin)
  if (room >= 1) return Math.min(wanted, room)
  throw new FloeError('invalid-input', `a load needs ${workerBytesMin / MiB} MiB of memory at least`, {
    hint: 'give --memory more; what Node itself takes (about 60 MB a worker) is not part of it',
  })
}

/**
 * Divides one worker's share of the memory: what it holds of rows and uploads at a time stays within it, except for
 * single values that are larger.
 */
export function divideMemory(
  workerBytes: number,
  table: { readonly columns: number; readonly isPartitioned: boolean; readonly merges: boolean },
): MemoryBudget {
  const parts = workerBytes >= workerBytesForFullParts ? fullParts : smallParts
  const uploadBytes = (parts.inFlightPartsMax + 1) * parts.partBytes
  const openFilesMax = table.isPartitioned
    ? Math.max(1, Math.min(openFilesCeiling, Math.floor((workerBytes * openFilesShare) / uploadBytes)))
    : 1
  const bufferedBytesMax = table.isPartitioned ? workerBytes * bufferedShare : 0
  const dictionaryBytesMax = workerBytes * dictionaryShare
  const uploads = (openFilesMax + (table.merges ? 1 : 0)) * uploadBytes
  const rest = workerBytes - uploads - bufferedBytesMax - dictionaryBytesMax
  const batchBytesMax = clamp(Math.floor(rest / batchCopies), batchBytesMin, batchBytesCeiling)
  const batchRowsMax = clamp(Math.floor(batchBytesMax / (table.columns * cellBytes)), 16, batchRowsCeiling)
  return {
    parts,
    limits: { batchRowsMax, batchBytesMax, dictionaryBytesMax, bufferedBytesMax, openFilesMax },
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
