import { messageHeaderBytes, messageLength } from './copy-messages.ts'
import { wordSlackBytes } from './string-dictionary.ts'

const initialBytes = 64 * 1024
/** A larger buffer, made for one large value, is let go after it. */
const keptBytesMax = 16 * 1024 * 1024

/** Holds the one message that straddles reads; all others are decoded in the receive buffer. Grows to its length at once. */
export class MessageCarry {
  bytes: Uint8Array = new Uint8Array(initialBytes)
  view: DataView = new DataView(this.bytes.buffer)
  length = 0
  /** Where decoding goes on: after the file header that the first message of a COPY holds. */
  start = 0

  /** Takes bytes of [at, end) until the message is whole. Returns how many. */
  fill(source: Uint8Array, at: number, end: number): number {
    let taken = 0
    if (this.length < messageHeaderBytes) {
      taken = this.take(source, at, Math.min(end - at, messageHeaderBytes - this.length))
    }
    const wanted = messageLength(this.view, 0, this.length)
    if (wanted === undefined) return taken
    this.reserve(wanted + wordSlackBytes)
    return taken + this.take(source, at + taken, Math.min(end - at - taken, wanted - this.length))
  }

  get isWhole(): boolean {
    return this.length === messageLength(this.view, 0, this.length)
  }

  clear(): void {
    this.length = 0
    this.start = 0
    if (this.bytes.length > keptBytesMax) this.replace(new Uint8Array(initialBytes))
  }

  private take(source: Uint8Array, at: number, count: number): number {
    this.bytes.set(source.subarray(at, at + count), this.length)
    this.length += count
    return count
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return
    const grown = new Uint8Array(bytes)
    grown.set(this.bytes.subarray(0, this.length))
    this.replace(grown)
  }

  private replace(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }
}
