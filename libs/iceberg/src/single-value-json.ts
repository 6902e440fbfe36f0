import { formatDate, formatTime, formatTimestamp, parseDate, parseTime, parseTimestamp } from './calendar.ts'
import { formatDecimal, parseDecimal, rescaleDecimal } from './decimal.ts'
import { FloeError } from './error.ts'
import { bytesToHex, hexToBytes } from './hex.ts'
import type { JsonValue } from './json.ts'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'
import { normalizeUuid } from './uuid.ts'

/** JSON form of a value: defaults of fields, literals of filters (spec Appendix D, "JSON single-value serialization"). */
export function singleValueToJson(type: PrimitiveType, value: PrimitiveValue): JsonValue {
  switch (type.kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'string':
    case 'uuid':
      return value as boolean | number | bigint | string
    case 'float':
    case 'double':
      // JSON has no such numbers; Jackson writes them as these strings.
      return Number.isFinite(value) ? (value as number) : String(value as number)
    case 'date':
      return formatDate(value as number)
    case 'time':
      return formatTime(value as bigint, 6)
    case 'timestamp':
      return formatTimestamp(value as bigint, 6)
    case 'timestamptz':
      return `${formatTimestamp(value as bigint, 6)}+00:00`
    case 'timestamp_ns':
      return formatTimestamp(value as bigint, 9)
    case 'timestamptz_ns':
      return `${formatTimestamp(value as bigint, 9)}+00:00`
    case 'decimal':
      return formatDecimal(value as bigint, type.scale)
    case 'fixed':
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return bytesToHex(value as Uint8Array)
    case 'unknown':
      throw new FloeError('invalid-input', 'a column of type unknown has no value but null')
  }
}

/** Inverse of `singleValueToJson`. Throws `invalid-input` when the JSON is no value of the type. */
export function singleValueFromJson(type: PrimitiveType, json: JsonValue): PrimitiveValue {
  try {
    const value = parseSingleValue(type, json)
    if (value !== undefined) return value
  } catch (error) {
    throw notOfType(type, error)
  }
  throw notOfType(type)
}

function notOfType(type: PrimitiveType, cause?: unknown): FloeError {
  const hint = cause instanceof FloeError && cause.hint !== undefined ? { hint: cause.hint } : {}
  const message = `JSON value is not a ${typeToString(type)}`
  return new FloeError('invalid-input', message, cause === undefined ? {} : { cause, ...hint })
}

function parseSingleValue(type: PrimitiveType, json: JsonValue): PrimitiveValue | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined
    case 'int':
      return Number.isInteger(json) && (json as number) === ((json as number) | 0)
        ? (json as number)
        : undefined
    case 'long':
      return parseLong(json)
    case 'float':
    case 'double':
      return parseFloating(json)
    default:
      return typeof json === 'string' ? parseTextValue(type, json) : undefined
  }
}

function parseTextValue(type: PrimitiveType, text: string): PrimitiveValue | undefined {
  switch (type.kind) {
    case 'date':
      return parseDate(text)
    case 'time':
      return parseTime(text, 6)
    case 'timestamp':
      return parseTimestamp(text, 6, false)
    case 'timestamptz':
      return parseTimestamp(text, 6, true)
    case 'timestamp_ns':
      return parseTimestamp(text, 9, false)
    case 'timestamptz_ns':
      return parseTimestamp(text, 9, true)
    case 'string':
      return text
    case 'uuid':
      return normalizeUuid(text)
    case 'decimal':
      return fitDecimal(rescaleDecimal(parseDecimal(text), type.scale), type.precision)
    case 'fixed': {
      const bytes = hexToBytes(text)
      return bytes.length === type.length ? bytes : undefined
    }
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return hexToBytes(text)
    default:
      return undefined
  }
}

function fitDecimal(unscaled: bigint | undefined, precision: number): bigint | undefined {
  if (unscaled === undefined) return undefined
  const limit = 10n ** BigInt(precision)
  return unscaled < limit && unscaled > -limit ? unscaled : undefined
}

function parseLong(json: JsonValue): bigint | undefined {
  if (typeof json !== 'bigint' && !Number.isSafeInteger(json)) return undefined
  const value = BigInt(json as bigint | number)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const specialNumbers: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity }

function parseFloating(json: JsonValue): number | undefined {
  if (typeof json === 'number') return json
  if (typeof json === 'bigint') return Number(json)
  return typeof json === 'string' ? specialNumbers[json] : undefined
}
