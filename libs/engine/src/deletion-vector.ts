import { crc32 } from 'node:zlib'

import { FloeError } from '@floe/iceberg'

const magic = 0xd1d33964
const runCookie = 12347
const plainCookie = 12346

/** Below this many containers a bitmap with runs leaves its offsets out. */
const offsetsFromContainers = 4
const arrayCardinalityMax = 4096
const bitsetBytes = 8192

/**
 * Positions of the deleted rows in a `deletion-vector-v1` blob, ascending: length, magic, a 64-bit Roaring bitmap in its
 * portable form, CRC-32 (Puffin spec, "deletion-vector-v1").
 * @throws FloeError corrupt-data
 */
export function decodeDeletionVector(blob: Uint8Array, location: string): readonly bigint[] {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  if (blob.byteLength < 20) throw corrupt(location, 'it is too short')
  const length = view.getUint32(0)
  if (length + 8 !== blob.byteLength) throw corrupt(location, 'its length does not fit')
  if (view.getUint32(4) !== magic) throw corrupt(location, 'its magic is wrong')
  if (crc32(blob.subarray(4, 4 + length)) !== view.getUint32(4 + length))
    throw corrupt(location, 'its checksum is wrong')
  try {
    return new BitmapReader(view, 8).readPositions()
  } catch (error) {
    if (error instanceof RangeError) throw corrupt(location, 'its bitmap ends early', error)
    throw error
  }
}

function corrupt(location: string, what: string, cause?: unknown): FloeError {
  return new FloeError('corrupt-data', `the deletion vector in ${location} cannot be read: ${what}`, {
    cause,
  })
}

class BitmapReader {
  readonly #view: DataView
  readonly #positions: bigint[] = []
  #at: number

  constructor(view: DataView, start: number) {
    this.#view = view
    this.#at = start
  }

  readPositions(): readonly bigint[] {
    const bitmaps = Number(this.#view.getBigUint64(this.#take(8), true))
    for (let read = 0; read < bitmaps; read++) {
      const high = BigInt(this.#uint32())
      this.#readBitmap(high << 32n)
    }
    return this.#positions
  }

  #readBitmap(base: bigint): void {
    const cookie = this.#uint32()
    const hasRuns = (cookie & 0xffff) === runCookie
    if (!hasRuns && cookie !== plainCookie) throw new RangeError('unknown cookie')
    const count = hasRuns ? (cookie >>> 16) + 1 : this.#uint32()
    const runFlags = hasRuns ? this.#take(Math.ceil(count / 8)) : undefined
    const headers = Array.from({ length: count }, () => ({
      key: this.#uint16(),
      cardinality: this.#uint16() + 1,
    }))
    if (!hasRuns || count >= offsetsFromContainers) this.#take(4 * count)
    for (const [index, { key, cardinality }] of headers.entries()) {
      const isRun =
        runFlags !== undefined && (this.#view.getUint8(runFlags + (index >> 3)) & (1 << (index & 7))) !== 0
      const start = base + BigInt(key) * 65536n
      if (isRun) this.#readRuns(start)
      else if (cardinality <= arrayCardinalityMax) this.#readArray(start, cardinality)
      else this.#readBitset(start)
    }
  }

  #readRuns(start: bigint): void {
    const runs = this.#uint16()
    for (let run = 0; run < runs; run++) {
      const first = this.#uint16()
      const last = first + this.#uint16()
      for (let value = first; value <= last; value++) this.#positions.push(start + BigInt(value))
    }
  }

  #readArray(start: bigint, cardinality: number): void {
    for (let read = 0; read < cardinality; read++) this.#positions.push(start + BigInt(this.#uint16()))
  }

  #readBitset(start: bigint): void {
    const from = this.#take(bitsetBytes)
    for (let byte = 0; byte < bitsetBytes; byte++) {
      const bits = this.#view.getUint8(from + byte)
      for (let bit = 0; bit < 8; bit++)
        if ((bits & (1 << bit)) !== 0) this.#positions.push(start + BigInt(byte * 8 + bit))
    }
  }

  #uint16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #take(bytes: number): number {
    const at = this.#at
    this.#at += bytes
    if (this.#at > this.#view.byteLength) throw new RangeError('end of the blob')
    return at
  }
}
