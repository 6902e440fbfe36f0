import avro from 'avsc'
import { FloeError } from './error.ts'

/** Where avsc reads from and writes to. Like it, writes beyond the end only move `pos`: the caller grows and repeats. */
export type Tap = {
  readonly buf: Buffer
  pos: number
  readLong(): number
  skipLong(): void
  writeLong(value: number): void
}

/** The part of avsc's types that its records call, without checks of values before. */
export type TapType<T> = avro.Type & {
  _read(tap: Tap): T
  _skip(tap: Tap): void
  _write(tap: Tap, value: T): void
}

/**
 * A type of our own among those of avsc, held against its exact version. avsc's arrays believe any count, its bytes are
 * `Buffer`s, its unions try values out: each of that is too slow or unsafe for files of others.
 */
export abstract class OwnType<T> extends avro.Type implements TapType<T> {
  override readonly typeName: string = 'own'
  abstract _read(tap: Tap): T
  abstract _skip(tap: Tap): void
  abstract _write(tap: Tap, value: T): void
}

/** A type of avsc, with the methods that its declarations leave out. */
export function builtin<T>(type: avro.Type): TapType<T> {
  return type as TapType<T>
}

/** int or long as a double. Most are one byte, read here without avsc's loop. */
export function readNumber(tap: Tap): number {
  const byte = tap.buf[tap.pos]
  if (byte === undefined || byte >= 0x80) return tap.readLong()
  tap.pos++
  return (byte >>> 1) ^ -(byte & 1)
}

/** Bytes that are left to read. Throws when a value reached beyond the end, or when `wanted` are not there. */
export function checkLeft(tap: Tap, wanted: number): void {
  // Not-a-number fails too.
  if (!(wanted >= 0 && tap.pos + wanted <= tap.buf.length)) throw corrupt('a value ends beyond its block')
}

/** Items in the next block of an array or map, 0 at its end; an item takes a byte at least. */
export function readBlockCount(tap: Tap): number {
  let count = readNumber(tap)
  // A negative count comes with the size in bytes.
  if (count < 0) {
    count = -count
    tap.skipLong()
  }
  if (count > 0) checkLeft(tap, count)
  return count
}

export function corrupt(what: string): FloeError {
  return new FloeError('corrupt-data', `Avro data: ${what}`, { hint: 'the file is damaged or cut off' })
}
