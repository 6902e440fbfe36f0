import type { Namespace, TableIdentifier } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'

/** `shop.orders`, `a.b.orders`, or with parts in double quotes where they hold dots: `"a.b".orders`. */
export function parseTableName(text: string): TableIdentifier {
  const parts = splitName(text)
  const name = parts?.at(-1)
  if (parts === undefined || name === undefined || parts.length < 2) {
    throw new FloeError('invalid-input', `${text} is not a table name`, {
      hint: 'write it as namespace.table; a part that holds a dot goes in double quotes: "a.b".table',
    })
  }
  return { namespace: parts.slice(0, -1), name }
}

/** `shop`, `a.b`, or `"a.b"` for one level that holds a dot: the levels of a namespace. */
export function parseNamespace(text: string): Namespace {
  const levels = splitName(text)
  if (levels !== undefined) return levels
  throw new FloeError('invalid-input', `${text} is not a namespace`, {
    hint: 'write it as a or a.b; a level that holds a dot goes in double quotes: "a.b"',
  })
}

/** The parts between dots; `undefined` when one is empty or the quotes do not match. */
function splitName(text: string): readonly string[] | undefined {
  const parts: string[] = []
  const part = /"((?:[^"]|"")+)"|([^."]+)/y
  for (;;) {
    const match = part.exec(text)
    if (match === null) return undefined
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (part.lastIndex === text.length) return parts
    if (text[part.lastIndex] !== '.') return undefined
    part.lastIndex += 1
  }
}
