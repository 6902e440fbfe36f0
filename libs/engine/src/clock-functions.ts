import type { Schema } from '@floe/iceberg'

import { isList, isNode, mapMembers, nodes, text, texts } from './sql-tree.ts'
import type { Statement, TreeNode, TreeValue } from './sql-tree.ts'

/** What each of DuckDB's clock functions gives, as the type to cast the instant to. */
const clockTypes: Readonly<Record<string, string>> = {
  now: 'TIMESTAMP WITH TIME ZONE',
  current_timestamp: 'TIMESTAMP WITH TIME ZONE',
  get_current_timestamp: 'TIMESTAMP WITH TIME ZONE',
  transaction_timestamp: 'TIMESTAMP WITH TIME ZONE',
  current_date: 'DATE',
  today: 'DATE',
  localtimestamp: 'TIMESTAMP',
  current_localtimestamp: 'TIMESTAMP',
}

/** Clock functions that SQL also writes without parentheses. */
const bareNames: ReadonlySet<string> = new Set(['current_timestamp', 'current_date', 'localtimestamp'])

/**
 * Puts one instant in place of every clock function, so that the files are pruned for the same instant that the rows
 * are filtered by. Columns that are called like one stay columns.
 */
export function pinClock(statement: Statement, nowMs: number, schemas: readonly Schema[]): Statement {
  const columns = new Set(schemas.flatMap(({ fields }) => fields.map(({ name }) => name.toLowerCase())))
  const instant = new Date(nowMs).toISOString().replace('T', ' ').replace('Z', '')
  return pin(statement) as Statement

  function pin(value: TreeValue): TreeValue {
    if (isList(value)) return value.map(pin)
    if (!isNode(value)) return value
    const called = clockCall(value, columns)
    if (called !== undefined) return constant(instant, called)
    const pinned = mapMembers(value, pin)
    return 'select_list' in value ? { ...pinned, select_list: withNames(value, pinned) } : pinned
  }

  function withNames(before: TreeNode, after: TreeNode): TreeValue {
    const originals = nodes(before['select_list'])
    return nodes(after['select_list']).map((item, at) => {
      const original = originals[at] ?? item
      const called = clockCall(original, columns)
      if (called === undefined || text(item['alias']) !== '') return item
      return { ...item, alias: original['class'] === 'FUNCTION' ? `${called}()` : called }
    })
  }
}

function clockCall(node: TreeNode, columns: ReadonlySet<string>): string | undefined {
  if (node['class'] === 'FUNCTION') {
    const name = text(node['function_name']).toLowerCase()
    return name in clockTypes && nodes(node['children']).length === 0 ? name : undefined
  }
  if (node['class'] !== 'COLUMN_REF') return undefined
  const [name = '', ...rest] = texts(node['column_names']).map((part) => part.toLowerCase())
  return rest.length === 0 && bareNames.has(name) && !columns.has(name) ? name : undefined
}

function constant(instant: string, called: string): TreeNode {
  const type = clockTypes[called] ?? 'TIMESTAMP'
  const zoned = type === 'TIMESTAMP WITH TIME ZONE'
  return {
    class: 'CAST',
    type: 'OPERATOR_CAST',
    alias: '',
    child: {
      class: 'CONSTANT',
      type: 'VALUE_CONSTANT',
      alias: '',
      value: {
        type: { id: 'VARCHAR', type_info: null },
        is_null: false,
        value: type === 'DATE' ? instant.slice(0, 10) : `${instant}${zoned ? '+00' : ''}`,
      },
    },
    cast_type: { id: type, type_info: null },
    try_cast: false,
  }
}
