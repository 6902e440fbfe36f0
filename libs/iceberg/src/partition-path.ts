import { formatDate, formatTime, formatTimestamp, formatYear, pad, type FractionDigits } from './calendar.ts'
import { FloeError } from './error.ts'
import { partitionSourceType, type Partition, type PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'
import { formatDecimal } from './decimal.ts'
import type { Transform } from './transform.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

/** Folder of a partition in Java's form, such as `ts_day=2024-01-01/category=a%2Fb`; empty for an unpartitioned spec. */
export function partitionPath(spec: PartitionSpec, schema: Schema, partition: Partition): string {
  if (partition.length !== spec.fields.length) {
    throw new FloeError(
      'invalid-input',
      `partition has ${partition.length} values, spec ${spec.specId} has ${spec.fields.length} fields`,
    )
  }
  const folders = spec.fields.map((field, at) => {
    const type = partitionSourceType(field, schema) ?? { kind: 'string' }
    const human = transformToHuman(field.transform, type, partition[at] ?? null)
    return `${urlEncode(field.name)}=${urlEncode(human)}`
  })
  return folders.join('/')
}

/**
 * A partition value as people read it: `2024-01-01-05` for an hour, base64 for bytes, `null` for null.
 * @param type  of the source column
 */
export function transformToHuman(
  transform: Transform,
  type: PrimitiveType,
  value: PrimitiveValue | null,
): string {
  if (value === null) return 'null'
  switch (transform.kind) {
    case 'year':
      return formatYear(1970 + (value as number))
    case 'month': {
      const months = value as number
      const year = Math.floor(months / 12)
      return `${formatYear(1970 + year)}-${pad(months - 12 * year + 1, 2)}`
    }
    case 'day':
      return formatDate(value as number)
    case 'hour': {
      const hours = value as number
      const days = Math.floor(hours / 24)
      return `${formatDate(days)}-${pad(hours - 24 * days, 2)}`
    }
    case 'bucket':
    case 'void':
    case 'unknown':
      return String(value as number | string)
    case 'identity':
    case 'truncate':
      return valueToHuman(type, value)
  }
}

function valueToHuman(type: PrimitiveType, value: PrimitiveValue): string {
  switch (type.kind) {
    case 'date':
      return formatDate(value as number)
    case 'time':
      return trimSeconds(formatTime(value as bigint, 6))
    case 'timestamp':
    case 'timestamp_ns':
      return trimSeconds(formatTimestamp(value as bigint, fractionDigits(type)))
    case 'timestamptz':
    case 'timestamptz_ns':
      return `${trimSeconds(formatTimestamp(value as bigint, fractionDigits(type)))}Z`
    case 'decimal':
      return formatDecimal(value as bigint, type.scale)
    default:
      return value instanceof Uint8Array ? base64(value) : String(value)
  }
}

function fractionDigits(type: PrimitiveType): FractionDigits {
  return type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns' ? 9 : 6
}

/** Java's `LocalTime.toString` leaves out zero seconds, and writes fractions in groups of three digits. */
function trimSeconds(text: string): string {
  const trimmed = text.replace(/(?:000)+$/, '')
  return trimmed.endsWith('.') ? trimmed.slice(0, -1).replace(/:00$/, '') : trimmed
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Java's `URLEncoder`: form encoding, where a space is `+` and only letters, digits and `.-*_` stay. */
function urlEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
