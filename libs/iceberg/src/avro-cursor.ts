import { FloeError } from './error.ts'

const decoder = new TextDecoder()
const two27 = 2 ** 27
const two55 = 2 ** 55
/** Strings up to this many bytes are decoded by hand when ASCII: a call of TextDecoder costs more. */
const shortStringBytes = 24

/** Reads Avro's binary primitives from one block, in order. */
export class AvroCursor {
  readonly bytes: Uint8Array
  at = 0
  readonly #view: DataView
  // The 28 low, 28 middle and 8 high bits of the last variable-length number.
  #low = 0
  #middle = 0
  #high = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  /** int, and long where the value is known to be small: union branches, counts of blocks. */
  readNumber(): number {
    const byte = this.bytes[this.at] ?? this.#end()
    if (byte < 0x80) {
      this.at++
      return (byte >>> 1) ^ -(byte & 1)
    }
    this.#readVariable()
    if (this.#high >= 0x40) throw corrupt('a count is outside the safe range')
    const magnitude = (this.#low >>> 1) + this.#middle * two27 + this.#high * two55
    const value = this.#low & 1 ? -magnitude - 1 : magnitude
    if (!Number.isSafeInteger(value)) throw corrupt('a count is outside the safe range')
    return value
  }

  readLong(): bigint {
    this.#readVariable()
    const zigzag = (BigInt(this.#high) << 56n) | (BigInt(this.#middle) << 28n) | BigInt(this.#low)
    return zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n
  }

  readBoolean(): boolean {
    this.#need(1)
    return this.bytes[this.at++] !== 0
  }

  readFloat(): number {
    this.#need(4)
    this.at += 4
    return this.#view.getFloat32(this.at - 4, true)
  }

  readDouble(): number {
    this.#need(8)
    this.at += 8
    return this.#view.getFloat64(this.at - 8, true)
  }

  /** A copy, so that a value does not keep its block alive. */
  readFixed(length: number): Uint8Array {
    this.#need(length)
    this.at += length
    // Where the input is a Buffer its own `slice` would give a view.
    return Uint8Array.prototype.slice.call(this.bytes, this.at - length, this.at)
  }

  readBytes(): Uint8Array {
    return this.readFixed(this.readNumber())
  }

  readString(): string {
    const length = this.readNumber()
    this.#need(length)
    const start = this.at
    this.at += length
    return (
      (length <= shortStringBytes ? shortAscii(this.bytes, start, this.at) : undefined) ??
      decoder.decode(this.bytes.subarray(start, this.at))
    )
  }

  skip(length: number): void {
    this.#need(length)
    this.at += length
  }

  skipVariable(): void {
    while ((this.bytes[this.at++] ?? this.#end()) >= 0x80);
  }

  #readVariable(): void {
    this.#low = this.#readBits(28)
    this.#middle = this.#more ? this.#readBits(28) : 0
    this.#high = this.#more ? this.#readBits(14) : 0
    if (this.#more || this.#high > 0xff) throw corrupt('a number has more than 64 bits')
  }

  #more = false

  #readBits(width: number): number {
    let value = 0
    for (let shift = 0; shift < width; shift += 7) {
      const byte = this.bytes[this.at++] ?? this.#end()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#more = false
        return value
      }
    }
    this.#more = true
    return value
  }

  #need(length: number): void {
    if (length < 0 || this.at + length > this.bytes.length) this.#end()
  }

  #end(): never {
    throw corrupt('a value ends beyond its block')
  }
}

function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function corrupt(what: string): FloeError {
  return new FloeError('corrupt-data', `Avro data: ${what}`, { hint: 'the file is damaged or cut off' })
}
