const encoder = new TextEncoder()
const initialBytes = 1 << 16
const variableBytesMax = 10

/** Grows a buffer of Avro's binary primitives. */
export class AvroSink {
  #bytes = new Uint8Array(initialBytes)
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

  writeLong(value: number | bigint): void {
    this.#reserve(variableBytesMax)
    if (typeof value === 'bigint') this.#writeBigint(value)
    else if (value >= -0x40000000 && value < 0x40000000) this.#writeSmall((value << 1) ^ (value >> 31))
    else this.#writeBigint(BigInt(value))
  }

  writeBoolean(value: boolean): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value ? 1 : 0
  }

  writeFloat(value: number): void {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    this.writeFixed(bytes)
  }

  writeDouble(value: number): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value, true)
    this.writeFixed(bytes)
  }

  writeFixed(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length)
    this.writeFixed(bytes)
  }

  writeString(text: string): void {
    this.writeBytes(encoder.encode(text))
  }

  #writeSmall(zigzag: number): void {
    let rest = zigzag >>> 0
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  #writeBigint(value: bigint): void {
    const zigzag = BigInt.asUintN(64, value < 0n ? ~(value << 1n) : value << 1n)
    // Seven bits at a time on numbers: 28 low bits, then the 36 above them as a double.
    let low = Number(zigzag & 0xfffffffn)
    let high = Number(zigzag >> 28n)
    for (let shift = 0; shift < 28; shift += 7) {
      const last = high === 0 && low < 0x80
      this.#bytes[this.#at++] = last ? low : (low & 0x7f) | 0x80
      if (last) return
      low >>>= 7
    }
    while (high >= 0x80) {
      this.#bytes[this.#at++] = (high % 0x80) | 0x80
      high = Math.floor(high / 0x80)
    }
    this.#bytes[this.#at++] = high
  }

  #reserve(count: number): void {
    const needed = this.#at + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.view())
    this.#bytes = grown
  }
}
