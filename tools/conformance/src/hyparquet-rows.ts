import { readFile } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import type { Type } from '@floe/iceberg'
import { isPrimitive } from '@floe/iceberg'
import { parquetReadObjects } from 'hyparquet'
import { floatBits, listText } from './canonical.ts'

/** hyparquet makes decimals numbers: so many digits of them can be trusted. */
const decimalDigits = 14

/** Every row of a file as hyparquet reads it, in canonical text by the table's types. */
export async function readByHyparquet(
  file: string,
  types: ReadonlyMap<string, Type>,
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const bytes = await readFile(file)
  const asStored = <T>(value: T): T => value
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    utf8: false,
    compressors: { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) },
    // Dates of JavaScript have milliseconds, and JSON parsed by it no large integers.
    parsers: {
      timestampFromMicroseconds: asStored,
      dateFromDays: asStored,
      jsonFromBytes: (json: Uint8Array | undefined) => json && new TextDecoder().decode(json),
    },
  } as Parameters<typeof parquetReadObjects>[0])
  return rows.map((row) =>
    Object.fromEntries([...types].map(([name, type]) => [name, columnText(type, row[name])])),
  )
}

/** What is left of a canonical text when its decimals are taken as numbers. */
export function withoutLastDigits(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLastDigits)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutLastDigits(item)]))
  if (typeof value !== 'string' || !/^-?\d+\.\d+$/.test(value)) return value
  return Number(value).toPrecision(decimalDigits)
}

export function hasDecimals(type: Type): boolean {
  switch (type.kind) {
    case 'decimal':
      return true
    case 'list':
      return hasDecimals(type.element)
    case 'map':
      return hasDecimals(type.key) || hasDecimals(type.value)
    case 'struct':
      return type.fields.some((field) => hasDecimals(field.type))
    default:
      return false
  }
}

function columnText(type: Type, value: unknown): string | null {
  const text = textOf(type, value)
  if (text === null || typeof text === 'string') return text
  const isFlat = type.kind === 'list' && isPrimitive(type.element)
  return isFlat ? listText(text as (string | null)[]) : JSON.stringify(text)
}

type Text = string | null | readonly Text[] | { readonly [name: string]: Text }

function textOf(type: Type, value: unknown): Text {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'list':
      return (value as readonly unknown[]).map((element) => textOf(type.element, element))
    case 'struct': {
      const members = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(
        type.fields.map((field) => [field.name, textOf(field.type, members[field.name])]),
      )
    }
    case 'map': {
      // hyparquet makes maps objects; canonical texts order them by key.
      const members = value as Readonly<Record<string, unknown>>
      return Object.keys(members)
        .toSorted()
        .map((key) => [key, textOf(type.value, members[key])])
    }
    case 'float':
    case 'double':
      return floatBits(Number(value))
    case 'decimal':
      return Number(value).toPrecision(decimalDigits)
    case 'date':
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
    case 'time':
      return instantText(BigInt(value as number | bigint)).slice('1970-01-01T'.length)
    case 'timestamp':
    case 'timestamptz':
      return instantText(value as bigint)
    default:
      return value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : String(value as bigint | string)
  }
}

/** Of microseconds since 1970, with all six digits. */
function instantText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (micros - fraction) / 1_000_000n
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length)
  return `${text}.${String(fraction).padStart(6, '0')}`
}
