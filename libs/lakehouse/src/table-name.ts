import type { TableIdentifier } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'

/** `shop.orders`, `a.b.orders`, or with parts in double quotes where they hold dots: `"a.b".orders`. */
export function parseTableName(text: string): TableIdentifier {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"(?:\.|$)|([^."]+)(?:\.|$)/gy)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
  const name = parts.at(-1)
  const isWhole = parts.map((part) => part.length).reduce((sum, length) => sum + length, 0) > 0
  if (name === undefined || parts.length < 2 || !isWhole || text.endsWith('.')) {
    throw new FloeError('invalid-input', `${text} is not a table name`, { hint: 'write it as namespace.table' })
  }
  return { namespace: parts.slice(0, -1), name }
}

/** `shop` or `a.b`: the levels of a namespace. */
export function parseNamespace(text: string): readonly string[] {
  const levels = text.split('.')
  if (levels.some((level) => level === '')) {
    throw new FloeError('invalid-input', `${text} is not a namespace`, { hint: 'write it as a or a.b' })
  }
  return levels
}
