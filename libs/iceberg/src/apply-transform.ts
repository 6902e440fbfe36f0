import { civilFromDays, floorDivide, microsPerDay, microsPerHour, nanosPerMicro } from './calendar.ts'
import { FloeError } from './error.ts'
import { hashLong, murmur3Hash32 } from './murmur3.ts'
import { encodeTwosComplement } from './twos-complement.ts'
import { canTransform } from './transform-type.ts'
import { transformToString, type Transform } from './transform.ts'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'
import { uuidToBytes } from './uuid.ts'

/**
 * Partition value of a column value; null gives null in every transform. Spec "Partition Transforms".
 * Truncating the lowest int or long may wrap around, as in Java.
 * @throws FloeError unsupported for unknown transforms, invalid-input for a source type the transform does not take
 */
export function applyTransform(
  transform: Transform,
  type: PrimitiveType,
  value: PrimitiveValue | null,
): PrimitiveValue | null {
  if (value === null || transform.kind === 'void') return null
  if (!canTransform(transform, type)) throw cannotTransform(transform, type)
  switch (transform.kind) {
    case 'identity':
      return value
    case 'bucket':
      return bucketOf(hashValue(type, value), transform.count)
    case 'truncate':
      return truncateValue(transform.width, type, value)
    case 'year':
      return civilFromDays(epochDays(type, value)).year - 1970
    case 'month': {
      const { year, month } = civilFromDays(epochDays(type, value))
      return (year - 1970) * 12 + month - 1
    }
    case 'day':
      return epochDays(type, value)
    case 'hour':
      return Number(floorDivide(epochMicros(type, value as bigint), microsPerHour))
    case 'unknown':
      throw cannotTransform(transform, type)
  }
}

function cannotTransform(transform: Transform, type: PrimitiveType): FloeError {
  const text = transformToString(transform)
  if (transform.kind === 'unknown') {
    return new FloeError('unsupported', `partition transform "${text}" is not known here`, {
      hint: 'write with an engine that knows it, or partition the table by a transform of the Iceberg spec',
    })
  }
  return new FloeError('invalid-input', `partition transform ${text} does not take a ${typeToString(type)}`)
}

/** Bucket of a 32-bit hash: the sign bit is dropped before the remainder. */
export function bucketOf(hash: number, count: number): number {
  return (hash & 0x7fffffff) % count
}

const utf8 = new TextEncoder()

/** Hash of a value as spec Appendix B defines it for its type: equal for int and long, for each scale of a decimal. */
export function hashValue(type: PrimitiveType, value: PrimitiveValue): number {
  switch (type.kind) {
    case 'int':
    case 'date':
      return hashLong(value as number, (value as number) < 0 ? -1 : 0)
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return hashBigInt(value as bigint)
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return hashBigInt(floorDivide(value as bigint, nanosPerMicro))
    case 'decimal':
      return murmur3Hash32(encodeTwosComplement(value as bigint))
    case 'string':
      return murmur3Hash32(utf8.encode(value as string))
    case 'uuid':
      return murmur3Hash32(uuidToBytes(value as string))
    case 'fixed':
    case 'binary':
      return murmur3Hash32(value as Uint8Array)
    default:
      throw new FloeError('invalid-input', `a ${typeToString(type)} has no bucket hash`)
  }
}

function hashBigInt(value: bigint): number {
  return hashLong(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
}

function truncateValue(width: number, type: PrimitiveType, value: PrimitiveValue): PrimitiveValue {
  switch (type.kind) {
    case 'int': {
      const number = value as number
      return (number - (((number % width) + width) % width)) | 0
    }
    case 'long':
      return BigInt.asIntN(64, truncateBigInt(value as bigint, BigInt(width)))
    case 'decimal':
      return truncateBigInt(value as bigint, BigInt(width))
    case 'string':
      return firstCodePoints(value as string, width)
    default:
      return (value as Uint8Array).slice(0, width)
  }
}

function truncateBigInt(value: bigint, width: bigint): bigint {
  return value - (((value % width) + width) % width)
}

/** The first `count` code points, never half of a surrogate pair. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text
  let end = 0
  for (let taken = 0; taken < count && end < text.length; taken++) {
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1
  }
  return text.slice(0, end)
}

function epochMicros(type: PrimitiveType, value: bigint): bigint {
  const nanos = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns'
  return nanos ? floorDivide(value, nanosPerMicro) : value
}

function epochDays(type: PrimitiveType, value: PrimitiveValue): number {
  return type.kind === 'date'
    ? (value as number)
    : Number(floorDivide(epochMicros(type, value as bigint), microsPerDay))
}
