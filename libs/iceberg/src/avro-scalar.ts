import avro from 'avsc'
import { builtin, checkLeft, corrupt, OwnType, readNumber, type Tap, type TapType } from './avro-tap.ts'
import { FloeError } from './error.ts'

const { BooleanType, DoubleType, FloatType, LongType, StringType } = avro.types

export const booleanType: TapType<boolean> = builtin(new BooleanType())
export const floatType: TapType<number> = builtin(new FloatType())
export const doubleType: TapType<number> = builtin(new DoubleType())

const variableBytesMax = 10

/** int and long as `bigint`, all 64 bits exact. */
export const longType: TapType<bigint> = builtin(
  LongType.__with(
    {
      fromBuffer: decodeVariable,
      toBuffer: encodeVariable,
      fromJSON: BigInt,
      toJSON: String,
      isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
      compare: (one: bigint, other: bigint) => Number(one > other) - Number(one < other),
    },
    true,
  ),
)

function decodeVariable(bytes: Uint8Array): bigint {
  if (bytes.length > variableBytesMax) throw corrupt('a number has more than 64 bits')
  // 28 bits, then the 42 above them, which a double holds.
  let low = 0
  let high = 0
  for (let at = 0; at < bytes.length; at++) {
    const bits = (bytes[at] as number) & 0x7f
    if (at < 4) low |= bits << (at * 7)
    else high += bits * 2 ** (at * 7 - 28)
  }
  if (high >= 2 ** 36) throw corrupt('a number has more than 64 bits')
  const zigzag = (BigInt(high) << 28n) | BigInt(low)
  return zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n
}

function encodeVariable(value: bigint): Buffer {
  const zigzag = BigInt.asUintN(64, value < 0n ? ~(value << 1n) : value << 1n)
  let low = Number(zigzag & 0xfffffffn)
  let high = Number(zigzag >> 28n)
  const bytes = Buffer.allocUnsafe(variableBytesMax)
  let at = 0
  for (; at < 4 && (high > 0 || low >= 0x80); low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80
  if (at === 4) low = high
  for (; low >= 0x80; low = Math.floor(low / 0x80)) bytes[at++] = (low % 0x80) | 0x80
  bytes[at++] = low
  return bytes.subarray(0, at)
}

/** int and long as a number: counts and sizes. avsc's own long ends two below the largest safe integer. */
class CountType extends OwnType<number> {
  _read(tap: Tap): number {
    const value = readNumber(tap)
    if (!Number.isSafeInteger(value)) throw corrupt('a count is outside the safe range')
    return value
  }
  _skip(tap: Tap): void {
    tap.skipLong()
  }
  _write(tap: Tap, value: number): void {
    if (!Number.isSafeInteger(value)) throw new FloeError('invalid-input', 'a count is no safe integer')
    tap.writeLong(value)
  }
}

export const countType: TapType<number> = new CountType()

class NullType extends OwnType<undefined> {
  _read(): undefined {
    return undefined
  }
  _skip(): void {}
  _write(_: Tap, value: unknown): void {
    if ((value ?? undefined) !== undefined)
      throw new FloeError('invalid-input', 'a field of type null has a value')
  }
}

export const nullType: TapType<undefined> = new NullType()

class TextType extends StringType {
  // avsc writes half of a surrogate pair as it is, which is no UTF-8.
  _write(tap: Tap, value: string): void {
    builtin<string>(plainText)._write(tap, value.toWellFormed())
  }
}

const plainText = new StringType()
export const textType: TapType<string> = builtin(new TextType())

const slabBytes = 8192
const smallBytesMax = 64
let slab = new Uint8Array(slabBytes)
let slabAt = 0

/**
 * A copy, so that a value does not keep its block alive. Small ones are views of a shared slab: of 32 bounds of 8 bytes
 * each, slices take 15 us and views of a slab 4 to 9 us.
 */
function copyBytes(tap: Tap, length: number): Uint8Array {
  checkLeft(tap, length)
  const start = tap.pos
  tap.pos += length
  if (length > smallBytesMax) return Uint8Array.prototype.slice.call(tap.buf, start, tap.pos)
  if (slabAt + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    slabAt = 0
  }
  const from = slabAt
  slabAt += length
  for (let at = 0; at < length; at++) slab[from + at] = tap.buf[start + at] as number
  return new Uint8Array(slab.buffer, from, length)
}

function writeBytes(tap: Tap, bytes: Uint8Array): void {
  const start = tap.pos
  tap.pos += bytes.length
  if (tap.pos > tap.buf.length) return
  if (bytes.length > smallBytesMax) tap.buf.set(bytes, start)
  else for (let at = 0; at < bytes.length; at++) tap.buf[start + at] = bytes[at] as number
}

class BytesType extends OwnType<Uint8Array> {
  _read(tap: Tap): Uint8Array {
    return copyBytes(tap, readNumber(tap))
  }
  _skip(tap: Tap): void {
    const length = readNumber(tap)
    checkLeft(tap, length)
    tap.pos += length
  }
  _write(tap: Tap, value: Uint8Array): void {
    tap.writeLong(value.length)
    writeBytes(tap, value)
  }
}

export const bytesType: TapType<Uint8Array> = new BytesType()

class FixedType extends OwnType<Uint8Array> {
  readonly #size: number
  constructor(size: number) {
    super()
    this.#size = size
  }
  _read(tap: Tap): Uint8Array {
    return copyBytes(tap, this.#size)
  }
  _skip(tap: Tap): void {
    checkLeft(tap, this.#size)
    tap.pos += this.#size
  }
  _write(tap: Tap, value: Uint8Array): void {
    if (value.length !== this.#size)
      throw new FloeError('invalid-input', `a value of type fixed[${this.#size}] has ${value.length} bytes`)
    writeBytes(tap, value)
  }
}

export function fixedType(size: number): TapType<Uint8Array> {
  return new FixedType(size)
}
