import { wordSlackBytes } from '../read/string-dictionary.ts'

const initialBytes = 64 * 1024

/** Big-endian bytes that grow. `bytes` ends in word slack, as decoders ask of a receive buffer. */
export class WireWriter {
  length = 0
  bytes: Buffer = Buffer.alloc(initialBytes)
  view: DataView = new DataView(this.bytes.buffer, this.bytes.byteOffset)

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  int16(value: number): void {
    this.reserve(2)
    this.view.setInt16(this.length, value)
    this.length += 2
  }

  int32(value: number): void {
    this.reserve(4)
    this.view.setInt32(this.length, value)
    this.length += 4
  }

  int64(value: bigint): void {
    this.reserve(8)
    this.view.setBigInt64(this.length, value)
    this.length += 8
  }

  float32(value: number): void {
    this.reserve(4)
    this.view.setFloat32(this.length, value)
    this.length += 4
  }

  float64(value: number): void {
    this.reserve(8)
    this.view.setFloat64(this.length, value)
    this.length += 8
  }

  text(value: string, encoding: 'utf8' | 'hex'): void {
    this.reserve(encoding === 'hex' ? value.length / 2 : value.length * 3)
    this.length += this.bytes.write(value, this.length, encoding)
  }

  /** Writes a length in front of what `write` adds. */
  sized(write: () => void): void {
    const at = this.length
    this.int32(0)
    write()
    this.view.setInt32(at, this.length - at - 4)
  }

  clear(): void {
    this.length = 0
  }

  private reserve(count: number): void {
    const wanted = this.length + count + wordSlackBytes
    if (wanted <= this.bytes.length) return
    const grown = Buffer.alloc(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
    this.view = new DataView(grown.buffer, grown.byteOffset)
  }
}
