import type { LeafValues } from './column.ts'
import type { Leaf } from './file-schema.ts'
import type { ValueRange } from './value-range.ts'
import { bitWidthOf } from './level-encoding.ts'
import { plainBytes, rawBytes, valueWidth } from './plain-encoding.ts'
import type { Scratch } from './scratch.ts'

/** The distinct values of a chunk: entry k is the value at `entries[k]`, value i is entry `ids[i]`. */
export type Dictionary = {
  readonly ids: Int32Array
  readonly entries: Int32Array
  readonly count: number
}

/** Integers whose range is smaller than this go through a table indexed by value - min: no hashing. */
const directSpanMax = 65_536
const hashEntriesMax = 65_536
/** A hashed value must occur this often on average: zstd finds rarer repeats of plain values by itself. */
const repeatMin = 4
/** After this many values the growth of the dictionary is extrapolated: hopeless ones are given up early. */
const sampleValues = 16_384
/** Equal values next to each other in runs shorter than this are cheaper left to the codec than looked up. */
const clusteredRunMin = 16
/** A dictionary must save this share of the plain bytes before compression to be worth its second lookup. */
const sizeShareMax = 0.85

/**
 * Finds a dictionary that is clearly smaller than the plain values, or `undefined`. Ids and entries live in `scratch`
 * until the next call. Booleans have none.
 */
export function buildDictionary(
  leaf: Leaf,
  values: LeafValues,
  count: number,
  range: ValueRange | undefined,
  dictionaryBytesMax: number,
  scratch: Scratch,
): Dictionary | undefined {
  if (count === 0 || dictionaryBytesMax === 0) return undefined
  const dictionary = findDistinct(leaf, values, count, range, dictionaryBytesMax, scratch)
  if (dictionary === undefined) return undefined
  const entryBytes = entriesPlainBytes(values, dictionary)
  const idBytes = (count * bitWidthOf(dictionary.count - 1)) / 8
  if (entryBytes > dictionaryBytesMax) return undefined
  const limit = (entryBytes + idBytes) / sizeShareMax
  // The lengths of strings alone mostly settle it, without a look at each value.
  const fits = (hasLengths(values) && limit <= 4 * count) || limit <= plainBytes(values, 0, count)
  return fits ? dictionary : undefined
}

function hasLengths({ layout }: LeafValues): boolean {
  return layout === 'bytes' || layout === 'dictionary'
}

function findDistinct(
  leaf: Leaf,
  values: LeafValues,
  count: number,
  range: ValueRange | undefined,
  dictionaryBytesMax: number,
  scratch: Scratch,
): Dictionary | undefined {
  switch (values.layout) {
    case 'boolean':
      return undefined
    case 'int32':
    case 'int64': {
      const span = range === undefined ? Infinity : spanOf(leaf, range)
      if (span < directSpanMax && span < count * 2)
        return directDictionary(values, count, range, span, scratch)
      return hashWords(values, count, dictionaryBytesMax, scratch)
    }
    case 'float':
    case 'double':
      return hashWords(values, count, dictionaryBytesMax, scratch)
    case 'bytes':
      return hashBytes(values.offsets, 0, values.data, count, dictionaryBytesMax, scratch)
    case 'fixed':
      return hashBytes(undefined, values.width, values.data, count, dictionaryBytesMax, scratch)
    case 'dictionary':
      return usedEntries(values.ids, values.dictionaryCount, count, scratch)
  }
}

/** Plain bytes of the entries alone. */
function entriesPlainBytes(values: LeafValues, dictionary: Dictionary): number {
  const width = valueWidth(values)
  if (width > 0) return width * dictionary.count
  if (values.layout !== 'bytes' && values.layout !== 'dictionary') return dictionary.count
  let total = 4 * dictionary.count
  for (let entry = 0; entry < dictionary.count; entry++) {
    const index = dictionary.entries[entry] as number
    total += (values.offsets[index + 1] as number) - (values.offsets[index] as number)
  }
  return total
}

function spanOf(leaf: Leaf, range: ValueRange): number {
  const min = new DataView(range.min.buffer, range.min.byteOffset)
  const max = new DataView(range.max.buffer, range.max.byteOffset)
  if (leaf.order === 'int32') return max.getInt32(0, true) - min.getInt32(0, true)
  const high = max.getInt32(4, true) - min.getInt32(4, true)
  return high * 0x1_0000_0000 + (max.getUint32(0, true) - min.getUint32(0, true))
}

function directDictionary(
  values: Extract<LeafValues, { layout: 'int32' | 'int64' }>,
  count: number,
  range: ValueRange | undefined,
  span: number,
  scratch: Scratch,
): Dictionary {
  const slots = scratch.slots(span + 1)
  const ids = scratch.ids(count)
  const entries = scratch.entries(Math.min(span + 1, count))
  const low = range === undefined ? 0 : new DataView(range.min.buffer, range.min.byteOffset).getInt32(0, true)
  const words = values.layout === 'int32' ? values.values : values.words
  const found = fillDirect(words, values.layout === 'int32' ? 1 : 2, count, low, slots, ids, entries)
  return { ids, entries, count: found }
}

/** Only the low word is read: a small span makes the difference of low words the difference of values. */
function fillDirect(
  words: Int32Array,
  stride: number,
  count: number,
  low: number,
  slots: Int32Array,
  ids: Int32Array,
  entries: Int32Array,
): number {
  let found = 0
  for (let index = 0, at = 0; index < count; index++, at += stride) {
    const slot = ((words[at] as number) - low) | 0
    let id = slots[slot] as number
    if (id < 0) {
      id = found++
      slots[slot] = id
      entries[id] = index
    }
    ids[index] = id
  }
  return found
}

/** Four- and eight-byte values hashed by their bits; floats too, so -0 and every NaN keep their bits. */
function hashWords(
  values: LeafValues,
  count: number,
  dictionaryBytesMax: number,
  scratch: Scratch,
): Dictionary | undefined {
  const width = valueWidth(values)
  const memory = rawBytes(values)
  const stride = width / 4
  const words = new Int32Array(memory.buffer, memory.byteOffset, count * stride)
  const table = hashTable(count, Math.floor(dictionaryBytesMax / width), scratch)
  const isClustered = (sample: number, found: number): boolean =>
    sample < found * clusteredRunMin && countRuns(words, stride, sample) === found
  return fillTable(
    table,
    count,
    (start, end, found) => hashWordRange(words, stride, start, end, found, table),
    isClustered,
  )
}

/** Runs of equal values among the first `count`; as many as distinct values where each occurs in one place only. */
function countRuns(words: Int32Array, stride: number, count: number): number {
  const second = stride - 1
  let runs = 1
  for (let at = stride; at < count * stride; at += stride) {
    if (words[at] !== words[at - stride] || words[at + second] !== words[at + second - stride]) runs++
  }
  return runs
}

type HashTable = {
  readonly slots: Int32Array
  readonly ids: Int32Array
  readonly entries: Int32Array
  readonly entriesMax: number
}

/** A power of two of slots, of which at most half get used. */
function hashTable(count: number, entriesFit: number, scratch: Scratch): HashTable {
  const entriesMax = Math.min(entriesFit, Math.ceil(count / repeatMin), hashEntriesMax)
  const slots = scratch.slots(2 ** Math.ceil(Math.log2(Math.max(16, entriesMax * 2))))
  return { slots, ids: scratch.ids(count), entries: scratch.entries(entriesMax), entriesMax }
}

type FillRange = (start: number, end: number, foundBefore: number) => number

/**
 * Fills the table in three steps, and stops where the last step's growth says that the entries will not fit, or where
 * `isHopeless` says so of the sample.
 */
function fillTable(
  table: HashTable,
  count: number,
  fill: FillRange,
  isHopeless: (sample: number, found: number) => boolean = () => false,
): Dictionary | undefined {
  const half = Math.min(count, sampleValues / 2)
  const sample = Math.min(count, sampleValues)
  const foundInHalf = fill(0, half, 0)
  if (foundInHalf < 0) return undefined
  const foundInSample = fill(half, sample, foundInHalf)
  if (foundInSample < 0) return undefined
  const growth = (foundInSample - foundInHalf) / Math.max(1, sample - half)
  if (foundInSample + growth * (count - sample) > table.entriesMax) return undefined
  if (isHopeless(sample, foundInSample)) return undefined
  const found = fill(sample, count, foundInSample)
  return found < 0 ? undefined : { ids: table.ids, entries: table.entries, count: found }
}

/** @returns the entries found, or -1 when they are more than the table may hold */
function hashWordRange(
  words: Int32Array,
  stride: number,
  start: number,
  end: number,
  foundBefore: number,
  table: HashTable,
): number {
  const { slots, ids, entries, entriesMax } = table
  const mask = slots.length - 1
  const second = stride - 1
  let found = foundBefore
  for (let index = start, at = start * stride; index < end; index++, at += stride) {
    const low = words[at] as number
    const high = words[at + second] as number
    let hash = Math.imul(low, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b)
    hash ^= hash >>> 15
    let slot = hash & mask
    let id = slots[slot] as number
    while (id >= 0) {
      const other = (entries[id] as number) * stride
      if (words[other] === low && words[other + second] === high) break
      slot = (slot + 1) & mask
      id = slots[slot] as number
    }
    if (id < 0) {
      if (found === entriesMax) return -1
      id = found++
      slots[slot] = id
      entries[id] = index
    }
    ids[index] = id
  }
  return found
}

function hashBytes(
  offsets: Int32Array | undefined,
  width: number,
  data: Uint8Array,
  count: number,
  dictionaryBytesMax: number,
  scratch: Scratch,
): Dictionary | undefined {
  const bounds = offsets ?? scratch.evenOffsets(count, width)
  const table = hashTable(count, Math.floor(dictionaryBytesMax / (4 + width)), scratch)
  return fillTable(table, count, (start, end, found) => hashByteRange(bounds, data, start, end, found, table))
}

function hashByteRange(
  offsets: Int32Array,
  data: Uint8Array,
  start: number,
  end: number,
  foundBefore: number,
  table: HashTable,
): number {
  const { slots, ids, entries, entriesMax } = table
  const mask = slots.length - 1
  let found = foundBefore
  let from = offsets[start] as number
  for (let index = start; index < end; index++) {
    const to = offsets[index + 1] as number
    let slot = hashOf(data, from, to) & mask
    let id = slots[slot] as number
    while (id >= 0) {
      const entry = entries[id] as number
      if (sameBytes(data, from, to, offsets[entry] as number, offsets[entry + 1] as number)) break
      slot = (slot + 1) & mask
      id = slots[slot] as number
    }
    if (id < 0) {
      if (found === entriesMax) return -1
      id = found++
      slots[slot] = id
      entries[id] = index
    }
    ids[index] = id
    from = to
  }
  return found
}

function hashOf(data: Uint8Array, from: number, to: number): number {
  let hash = to - from
  let at = from
  for (; at + 4 <= to; at += 4) {
    const word =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x9e37_79b1)
    hash ^= hash >>> 15
  }
  for (; at < to; at++) hash = Math.imul(hash ^ (data[at] as number), 0x85eb_ca6b)
  return hash ^ (hash >>> 13)
}

function sameBytes(data: Uint8Array, from: number, to: number, otherFrom: number, otherTo: number): boolean {
  if (to - from !== otherTo - otherFrom) return false
  for (let at = from, other = otherFrom; at < to; at++, other++) if (data[at] !== data[other]) return false
  return true
}

/** Numbers the entries that occur in `ids` anew, in the order of their first use: unused ones would widen the bounds. */
function usedEntries(
  source: Int32Array,
  dictionaryCount: number,
  count: number,
  scratch: Scratch,
): Dictionary {
  const slots = scratch.slots(dictionaryCount)
  const ids = scratch.ids(count)
  const entries = scratch.entries(Math.min(dictionaryCount, count))
  let found = 0
  for (let index = 0; index < count; index++) {
    const entry = source[index] as number
    let id = slots[entry] as number
    if (id < 0) {
      id = found++
      slots[entry] = id
      entries[id] = entry
    }
    ids[index] = id
  }
  return { ids, entries, count: found }
}
