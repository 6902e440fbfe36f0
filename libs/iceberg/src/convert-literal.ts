import { parseDecimal, rescaleDecimal, type ParsedDecimal } from './decimal.ts'
import { FloeError } from './error.ts'
import { floorDivide } from './calendar.ts'
import { singleValueFromJson } from './single-value-json.ts'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'
import { normalizeUuid, uuidFromBytes } from './uuid.ts'

/**
 * A literal among the values of a column's type: one of them, between two neighbours (`floor` is the lower),
 * or beyond all of them.
 */
export type ConvertedLiteral =
  | { readonly kind: 'value'; readonly value: PrimitiveValue }
  | { readonly kind: 'between'; readonly floor: PrimitiveValue }
  | { readonly kind: 'below' | 'above' }

/**
 * Converts a literal to a column's type: ISO text for dates and times, digits for numbers, hexadecimal text for bytes.
 * A `bigint` for a decimal is its unscaled value; a number or text is the decimal itself.
 * @throws FloeError invalid-input when the literal is no value of the type, or NaN
 */
export function convertLiteral(type: PrimitiveType, value: PrimitiveValue, column: string): ConvertedLiteral {
  if (Number.isNaN(value)) {
    throw new FloeError('invalid-input', `column "${column}" cannot be compared with NaN`, {
      hint: 'test with is-nan or not-nan',
    })
  }
  try {
    const converted = convert(type, value)
    if (converted !== undefined) return converted
  } catch (error) {
    throw cannotConvert(type, value, column, error)
  }
  throw cannotConvert(type, value, column)
}

function cannotConvert(
  type: PrimitiveType,
  value: PrimitiveValue,
  column: string,
  cause?: unknown,
): FloeError {
  const form = value instanceof Uint8Array ? 'bytes' : typeof value
  const message = `a literal (${form}) for column "${column}" does not convert to ${typeToString(type)}`
  const hint = cause instanceof FloeError ? cause.hint : undefined
  return new FloeError('invalid-input', message, { cause, ...(hint === undefined ? {} : { hint }) })
}

function convert(type: PrimitiveType, value: PrimitiveValue): ConvertedLiteral | undefined {
  switch (type.kind) {
    case 'int':
      return exactNumber(value, 0, limits(32), Number)
    case 'long':
      return exactNumber(value, 0, limits(64), (integer) => integer)
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n
      return exactNumber(value, type.scale, { low: -limit, high: limit }, (integer) => integer)
    }
    case 'date':
      return typeof value === 'string' && !digits.test(value)
        ? whole(singleValueFromJson(type, value))
        : exactNumber(value, 0, limits(32), Number)
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return typeof value === 'string' && !digits.test(value)
        ? whole(singleValueFromJson(type, value))
        : exactNumber(value, 0, limits(64), (integer) => integer)
    case 'float':
    case 'double':
      return floating(type.kind, value)
    default:
      return convertOther(type, value)
  }
}

function convertOther(type: PrimitiveType, value: PrimitiveValue): ConvertedLiteral | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? whole(value) : undefined
    case 'string':
      return typeof value === 'string' ? whole(value) : undefined
    case 'uuid':
      if (typeof value === 'string') return whole(normalizeUuid(value))
      return value instanceof Uint8Array && value.length === 16 ? whole(uuidFromBytes(value)) : undefined
    case 'fixed':
      if (typeof value === 'string') return whole(singleValueFromJson(type, value))
      return value instanceof Uint8Array && value.length === type.length ? whole(value) : undefined
    case 'binary':
      if (typeof value === 'string') return whole(singleValueFromJson(type, value))
      return value instanceof Uint8Array ? whole(value) : undefined
    default:
      // variant, geometry, geography and unknown have no order.
      return undefined
  }
}

const digits = /^-?\d+$/

function whole(value: PrimitiveValue): ConvertedLiteral {
  return { kind: 'value', value }
}

type Limits = { readonly low: bigint; readonly high: bigint }

function limits(bits: 32 | 64): Limits {
  const high = 2n ** BigInt(bits - 1) - 1n
  return { low: -high - 1n, high }
}

/** A number without rounding, so that `int_column < 5.5` keeps 5 and `int_column < 3000000000` keeps all. */
function exactNumber(
  value: PrimitiveValue,
  scale: number,
  { low, high }: Limits,
  represent: (integer: bigint) => PrimitiveValue,
): ConvertedLiteral | undefined {
  if (value === Infinity) return { kind: 'above' }
  if (value === -Infinity) return { kind: 'below' }
  const parsed = toDecimal(value, scale)
  if (parsed === undefined) return undefined
  const exact = rescaleDecimal(parsed, scale)
  const floor = exact ?? floorDivide(parsed.unscaled, 10n ** BigInt(parsed.scale - scale))
  if (floor > high || (exact === undefined && floor === high)) return { kind: 'above' }
  if (floor < low) return { kind: 'below' }
  return exact === undefined ? { kind: 'between', floor: represent(floor) } : whole(represent(exact))
}

function toDecimal(value: PrimitiveValue, scale: number): ParsedDecimal | undefined {
  if (typeof value === 'bigint') return { unscaled: value, scale }
  return typeof value === 'number' || typeof value === 'string' ? parseDecimal(String(value)) : undefined
}

function floating(kind: 'float' | 'double', value: PrimitiveValue): ConvertedLiteral | undefined {
  const number = typeof value === 'string' ? textToNumber(value) : value
  if (typeof number !== 'number' && typeof number !== 'bigint') return undefined
  // Adding 0 turns -0 into 0: predicates see one zero.
  return whole((kind === 'float' ? Math.fround(Number(number)) : Number(number)) + 0)
}

function textToNumber(text: string): number | undefined {
  if (text === 'Infinity' || text === '-Infinity') return Number(text)
  parseDecimal(text)
  return Number(text)
}
