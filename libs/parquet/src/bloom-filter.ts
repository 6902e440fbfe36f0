import type { LeafValues } from './column.ts'
import { rawBytes, valueWidth } from './plain-encoding.ts'
import { ThriftWriter } from './thrift-writer.ts'
import { hashHigh, hashLow, xxhash64 } from './xxhash64.ts'

/** Table properties `write.parquet.bloom-filter-*`. */
export type BloomFilterSettings = {
  /** Share of absent values that the filter lets pass, by dotted Iceberg name: columns that are named have a filter. */
  readonly falsePositiveShares: Readonly<Record<string, number>>
  /** Largest filter of a column chunk. */
  readonly bytesMax: number
}

const blockBytes = 32
const wordsPerBlock = 8
const salts = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const

/**
 * A split-block Bloom filter of `count` values and its header (parquet-format, BloomFilter.md); `undefined` for
 * booleans and for chunks without values.
 */
export function encodeBloomFilter(
  values: LeafValues,
  count: number,
  falsePositiveShare: number,
  bytesMax: number,
): Uint8Array | undefined {
  if (count === 0 || values.layout === 'boolean') return undefined
  const filter = new Int32Array(filterBytes(count, falsePositiveShare, bytesMax) / 4)
  insertValues(values, count, filter)
  const header = filterHeader(filter.byteLength)
  const out = new Uint8Array(header.length + filter.byteLength)
  out.set(header)
  out.set(new Uint8Array(filter.buffer), header.length)
  return out
}

/** A power of two, as most readers ask for; half of `distinct` values more bits would not fit below the limit. */
function filterBytes(distinct: number, falsePositiveShare: number, bytesMax: number): number {
  const bits = (-8 * distinct) / Math.log(1 - falsePositiveShare ** (1 / 8))
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(blockBytes, bits / 8)))
  const limit = 2 ** Math.floor(Math.log2(Math.max(blockBytes, bytesMax)))
  return Math.min(wanted, limit)
}

/** Hashes are those of the PLAIN form of a value, byte arrays without their length. */
function insertValues(values: LeafValues, count: number, filter: Int32Array): void {
  if (values.layout === 'bytes' || values.layout === 'dictionary') {
    const { offsets, data } = values
    for (let index = 0; index < count; index++) {
      xxhash64(data, offsets[index] as number, offsets[index + 1] as number)
      insertHash(filter)
    }
    return
  }
  const width = valueWidth(values)
  const bytes = rawBytes(values)
  for (let index = 0; index < count; index++) {
    xxhash64(bytes, index * width, (index + 1) * width)
    insertHash(filter)
  }
  if (values.layout === 'float' || values.layout === 'double') insertZeros(values, count, filter, width)
}

/** 0 and -0 are equal to those who ask, and two patterns of bits. */
function insertZeros(
  values: Extract<LeafValues, { layout: 'float' | 'double' }>,
  count: number,
  filter: Int32Array,
  width: number,
): void {
  if (!values.values.subarray(0, count).includes(0)) return
  for (const sign of [0, 0x80]) {
    const zero = new Uint8Array(width)
    zero[width - 1] = sign
    xxhash64(zero, 0, width)
    insertHash(filter)
  }
}

/** One bit in each word of the block that the upper half of the hash chooses. */
function insertHash(filter: Int32Array): void {
  const blocks = filter.length / wordsPerBlock
  const block = Math.floor((hashHigh * blocks) / 2 ** 32) * wordsPerBlock
  for (let word = 0; word < wordsPerBlock; word++) {
    const bit = Math.imul(hashLow, salts[word] ?? 0) >>> 27
    filter[block + word] = (filter[block + word] as number) | (1 << bit)
  }
}

function filterHeader(byteCount: number): Uint8Array {
  const writer = new ThriftWriter()
  // Each union has one member: the split-block algorithm, XXHASH, no compression.
  const onlyMember = (): void => writer.struct(1, () => undefined)
  writer.structElement(() => {
    writer.i32(1, byteCount)
    writer.struct(2, onlyMember)
    writer.struct(3, onlyMember)
    writer.struct(4, onlyMember)
  })
  return writer.toBytes()
}
