import { FloeError, typeToString } from '@floe/iceberg'
import type { NestedField, Type } from '@floe/iceberg'
import type { MaskAction } from '@floe/catalog'

import { duckdbType, quoteText } from './sql-text.ts'

/**
 * What stands in the place of a column's value (REST spec `Action`), as SQL over `column`. Null stays null, but for the
 * fixed value, which would tell by it which rows had none.
 * @param saltHex  random bytes of this query, in hex
 */
export function maskSql(action: MaskAction, column: string, field: NestedField, saltHex: string): string {
  const { type } = field
  switch (action) {
    case 'mask-alphanum':
      return alphanumSql(column)
    case 'show-first-4':
      return `CASE WHEN length(${column}) <= 4 THEN ${column} ELSE left(${column}, 4) || ${alphanumSql(`substr(${column}, 5)`)} END`
    case 'show-last-4':
      return `CASE WHEN length(${column}) <= 4 THEN ${column} ELSE ${alphanumSql(`left(${column}, -4)`)} || right(${column}, 4) END`
    case 'replace-with-null':
      return `CAST(NULL AS ${duckdbType(type)})`
    case 'mask-to-fixed-value':
      return fixedValueSql(field)
    case 'truncate-to-year':
      return truncatedSql('year', column, type)
    case 'truncate-to-month':
      return truncatedSql('month', column, type)
    case 'sha-256-global':
      return hashSql(column, field, '')
    case 'sha-256-query-local':
      return hashSql(column, field, `unhex(${quoteText(saltHex)}) || `)
  }
}

/** Spec `mask-alphanum`: digits become n, ( ) , . - @ stay, every other code point becomes x. */
function alphanumSql(text: string): string {
  return `regexp_replace(regexp_replace(${text}, '[^0-9(),.@-]', 'x', 'g'), '[0-9]', 'n', 'g')`
}

/** By way of the date: DuckDB rounds nanoseconds, which would move the last one of a year into the next. */
function truncatedSql(unit: 'year' | 'month', column: string, type: Type): string {
  const day =
    type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns'
      ? flooredDay(column)
      : `CAST(${column} AS DATE)`
  return `CAST(CAST(date_trunc('${unit}', ${day}) AS DATE) AS ${duckdbType(type)})`
}

function flooredDay(column: string): string {
  return `(DATE '1970-01-01' + CAST(floor(epoch_ns(${column})::HUGEINT / 86400000000000::HUGEINT) AS INTEGER))`
}

/** Little-endian POINT EMPTY as well-known binary: both coordinates are NaN. */
const emptyPoint = '0101000000000000000000F87F000000000000F87F'

function fixedValueSql(field: NestedField): string {
  const { type } = field
  const value = fixedValue(field)
  return `CAST(${value} AS ${duckdbType(type)})`
}

/** Spec `mask-to-fixed-value`: zero, the epoch, or what is empty. A text differs from an empty one. */
function fixedValue(field: NestedField): string {
  const { type } = field
  switch (type.kind) {
    case 'boolean':
      return 'false'
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'decimal':
      return '0'
    case 'string':
      return "'XXXXXXXX'"
    case 'uuid':
      return "'00000000-0000-0000-0000-000000000000'"
    case 'date':
    case 'timestamp':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return "'1970-01-01'"
    case 'timestamptz':
      return "'1970-01-01 00:00:00+00'"
    case 'time':
      return "'00:00:00'"
    case 'binary':
      return "''"
    case 'fixed':
      return `unhex('${'00'.repeat(type.length)}')`
    case 'geometry':
    case 'geography':
      return `unhex('${emptyPoint}')`
    case 'list':
      return '[]'
    case 'map':
      return 'MAP {}'
    case 'struct':
    case 'variant':
    case 'unknown':
      throw unmaskable(field)
  }
}

/** Spec `sha-256-global`: of the bytes of the text, or of the little-endian number, and back into the same type. */
function hashSql(column: string, field: NestedField, salt: string): string {
  switch (field.type.kind) {
    case 'string':
      return `sha256(${salt}encode(${column}))`
    case 'binary':
      return `unhex(sha256(${salt}${column}))`
    case 'int':
      return hashedNumber(column, 4, salt)
    case 'long':
      return hashedNumber(column, 8, salt)
    default:
      throw unmaskable(field)
  }
}

function hashedNumber(column: string, bytes: 4 | 8, salt: string): string {
  const places = Array.from({ length: bytes }, (_, at) => at)
  const parts = places.map((at) => `(${column}::BIGINT >> ${at * 8}) & 255`)
  const digest = `sha256(${salt}unhex(printf('${'%02x'.repeat(bytes)}', ${parts.join(', ')})))`
  const reversed = places.toReversed().map((at) => `substr(d, ${at * 2 + 1}, 2)`)
  const unsigned = `CAST('0x' || ${reversed.join(' || ')} AS UBIGINT)::HUGEINT`
  const [half, whole] = [2n ** BigInt(bytes * 8 - 1), 2n ** BigInt(bytes * 8)]
  const signed = `CAST(u - CASE WHEN u >= ${half}::HUGEINT THEN ${whole}::HUGEINT ELSE 0 END AS ${bytes === 4 ? 'INTEGER' : 'BIGINT'})`
  // Lambdas name the digest and the number: each would be computed again wherever it stands.
  const hashed = `list_transform(list_transform([${digest}], lambda d: ${unsigned}), lambda u: ${signed})[1]`
  return `CASE WHEN ${column} IS NOT NULL THEN ${hashed} END`
}

function unmaskable({ name, type }: NestedField): FloeError {
  return new FloeError(
    'unsupported',
    `the mask of column "${name}" is not for its type, ${typeToString(type)}`,
    {
      hint: 'whoever manages the table should set another mask',
    },
  )
}
