import { corrupt, type TapType } from './avro-tap.ts'
import { FloeError } from './error.ts'

const initialBytes = 1 << 16

/** Grows a buffer of Avro values. */
export class AvroSink {
  #bytes = Buffer.allocUnsafeSlow(initialBytes)
  #at = 0

  get length(): number {
    return this.#at
  }

  /** A view of what was written; valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  clear(): void {
    this.#at = 0
  }

  /** Throws FloeError invalid-input for a value that is not of the type. */
  write<T>(type: TapType<T>, value: T): void {
    for (;;) {
      const end = encodeAt(type, value, this.#bytes, this.#at)
      // avsc gives the bytes that are missing as a negative number.
      if (end >= 0) {
        this.#at = end
        return
      }
      this.#grow(-end)
    }
  }

  writeFixed(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #grow(missing: number): void {
    const grown = Buffer.allocUnsafeSlow(this.#bytes.length * 2 + missing)
    grown.set(this.view())
    this.#bytes = grown
  }
}

function encodeAt<T>(type: TapType<T>, value: T, bytes: Buffer, at: number): number {
  try {
    return type.encode(value, bytes, at)
  } catch (error) {
    if (error instanceof FloeError) throw error
    // Without the cause: avsc's messages quote the value.
    throw new FloeError('invalid-input', 'a value does not fit its Avro type')
  }
}

/** What stands at `at`, and where it ends. Throws FloeError corrupt-data. */
export function decodeAt<T>(
  type: TapType<T>,
  bytes: Buffer,
  at: number,
): { readonly value: T; readonly offset: number } {
  let decoded: { value: T; offset: number }
  try {
    decoded = type.decode(bytes, at)
  } catch (error) {
    if (error instanceof FloeError) throw error
    throw new FloeError('corrupt-data', 'Avro data: a value cannot be read', {
      hint: 'the file is damaged or cut off',
      cause: error,
    })
  }
  if (decoded.offset < at) throw corrupt('a value ends beyond its block')
  return decoded
}

/** Values to the end of a block. */
export function decodeAll<T>(type: TapType<T>, bytes: Buffer, into: T[]): void {
  for (let at = 0; at < bytes.length;) {
    const { value, offset } = decodeAt(type, bytes, at)
    if (offset === at) throw corrupt('its records take no bytes')
    into.push(value)
    at = offset
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
