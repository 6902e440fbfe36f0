/** Element and field types of the Thrift compact protocol that Parquet's metadata uses. */
export const thriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
} as const

const initialBytes = 1024
const textEncoder = new TextEncoder()

/** Appends one struct in the Thrift compact protocol. Field ids must ascend inside a struct. */
export class ThriftWriter {
  #bytes = new Uint8Array(initialBytes)
  #length = 0
  readonly #fieldIds: number[] = []
  #lastFieldId = 0

  bool(fieldId: number, value: boolean): void {
    this.#field(fieldId, value ? thriftType.true : thriftType.false)
  }

  i8(fieldId: number, value: number): void {
    this.#field(fieldId, thriftType.i8)
    this.#byte(value)
  }

  i16(fieldId: number, value: number): void {
    this.#field(fieldId, thriftType.i16)
    this.#zigzag(value)
  }

  i32(fieldId: number, value: number): void {
    this.#field(fieldId, thriftType.i32)
    this.#zigzag(value)
  }

  /** Safe integers only: sizes, offsets and counts. */
  i64(fieldId: number, value: number): void {
    this.#field(fieldId, thriftType.i64)
    this.#zigzag(value)
  }

  binary(fieldId: number, value: string | Uint8Array): void {
    this.#field(fieldId, thriftType.binary)
    this.binaryElement(value)
  }

  struct(fieldId: number, write: () => void): void {
    this.#field(fieldId, thriftType.struct)
    this.structElement(write)
  }

  list(fieldId: number, elementType: number, size: number): void {
    this.#field(fieldId, thriftType.list)
    if (size < 15) this.#byte((size << 4) | elementType)
    else {
      this.#byte(0xf0 | elementType)
      this.#varint(size)
    }
  }

  i32Element(value: number): void {
    this.#zigzag(value)
  }

  binaryElement(value: string | Uint8Array): void {
    const bytes = typeof value === 'string' ? textEncoder.encode(value) : value
    this.#varint(bytes.length)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A struct inside a list, or the outermost one. */
  structElement(write: () => void): void {
    this.#fieldIds.push(this.#lastFieldId)
    this.#lastFieldId = 0
    write()
    this.#byte(0)
    this.#lastFieldId = this.#fieldIds.pop() ?? 0
  }

  /** The bytes written so far, as a copy of exactly that size. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #field(fieldId: number, type: number): void {
    const delta = fieldId - this.#lastFieldId
    if (delta > 0 && delta < 16) this.#byte((delta << 4) | type)
    else {
      this.#byte(type)
      this.#zigzag(fieldId)
    }
    this.#lastFieldId = fieldId
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  // Division instead of shifts: values reach beyond 32 bits.
  #varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.#byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
