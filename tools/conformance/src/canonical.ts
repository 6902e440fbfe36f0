import { stringifyJson } from '@floe/iceberg'
import { jsonOf } from '@floe/lakehouse'

/**
 * The canonical text of a value as Floe's engine gives it: the same text that PostgreSQL and PyIceberg are asked for.
 * Lists are the JSON of their elements' text.
 */
export function canonicalValue(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null
  if (/^(STRUCT|MAP)\(|\[\]\[\]$/.test(type)) return JSON.stringify(nestedTexts(value))
  if (type.endsWith('[]')) return canonicalList(value, type.slice(0, -2))
  if (type === 'FLOAT' || type === 'DOUBLE') return floatBits(Number(value))
  const text = typeof value === 'string' ? value : stringifyJson(jsonOf(value))
  if (type === 'BLOB') return text.replace(/^\\x/, '')
  if (type === 'TIME') return withMicros(text)
  if (type.startsWith('TIMESTAMP')) return withMicros(text.replace(' ', 'T').replace(/(Z|\+00(:00)?)$/, ''))
  return text
}

function canonicalList(value: unknown, elementType: string): string {
  if (!Array.isArray(value)) throw new TypeError(`a list was expected, not ${typeof value}`)
  return listText(value.map((element) => canonicalValue(element, elementType)))
}

/** A nested value with the texts of its members; of kinds whose text is one in every engine. */
function nestedTexts(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.map(nestedTexts)
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, nestedTexts(member)]))
  return typeof value === 'string' ? value : stringifyJson(jsonOf(value))
}

type TextRow = Readonly<Record<string, string | null>>

/** The values of one column, for a comparison: the JSON of nested ones is parsed, since engines order members as they like. */
export function columnValues(
  rows: readonly TextRow[],
  { name, isNested = false }: { readonly name: string; readonly isNested?: boolean },
): readonly unknown[] {
  return rows.map((row) => {
    const text = row[name] ?? null
    return isNested && text !== null ? (JSON.parse(text) as unknown) : text
  })
}

/** A list as PostgreSQL writes an array of texts as JSON. */
export function listText(elements: readonly (string | null)[]): string {
  return `[${elements.map((element) => JSON.stringify(element)).join(', ')}]`
}

export function floatBits(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  return bits.getBigUint64(0).toString(16).padStart(16, '0')
}

function withMicros(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.')
  return `${seconds}.${fraction.padEnd(6, '0')}`
}
