import {
  DuckDBArrayValue,
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBTimeTZValue,
  DuckDBUnionValue,
  DuckDBUUIDValue,
  DuckDBVariantValue,
} from '@duckdb/node-api'
import type { DuckDBValue } from '@duckdb/node-api'

/**
 * A value as plain data that JSON can hold without loss, given a writer that prints `bigint` digits: integers in the safe
 * range are numbers and the others `bigint`; DECIMAL is its exact text; dates and times are ISO 8601 (instants end in
 * `+00:00`); BLOB is `\x` and hex digits; MAP is a list of pairs; NaN and the infinities are their names.
 */
export function plainValue(value: DuckDBValue | undefined): unknown {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'bigint':
      return safeInteger(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      return plainObject(value)
    default:
      return value
  }
}

function plainObject(value: Exclude<DuckDBValue, null | boolean | number | bigint | string>): unknown {
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(plainValue)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(
      Object.entries(value.entries).map(([name, member]) => [name, plainValue(member)]),
    )
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => [plainValue(entry.key), plainValue(entry.value)])
  if (value instanceof DuckDBUnionValue || value instanceof DuckDBVariantValue) return plainValue(value.value)
  if (value instanceof DuckDBBlobValue) return `\\x${Buffer.from(value.bytes).toString('hex')}`
  return plainText(value)
}

function plainText(value: object): string {
  if (value instanceof DuckDBTimestampTZValue) return zoned(isoText(new DuckDBTimestampValue(value.micros)))
  if (
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue
  ) {
    return isoText(value)
  }
  if (
    value instanceof DuckDBDateValue ||
    value instanceof DuckDBTimeValue ||
    value instanceof DuckDBTimeTZValue ||
    value instanceof DuckDBDecimalValue ||
    value instanceof DuckDBUUIDValue ||
    value instanceof DuckDBIntervalValue ||
    value instanceof DuckDBBitValue
  ) {
    return value.toString()
  }
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? member.toString() : member,
  )
}

function safeInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function isoText(value: { toString(): string }): string {
  return value.toString().replace(' ', 'T')
}

/** `infinity` and `-infinity` are instants of no zone. */
function zoned(text: string): string {
  return text.endsWith('infinity') ? text : `${text}+00:00`
}
