import { FloeError } from '@floe/iceberg'

import { isList, isNode, mapMembers, nodes, text, texts, treeNodes } from './sql-tree.ts'
import type { Statement, TreeNode, TreeValue } from './sql-tree.ts'

/** A table named in FROM, once per place where it stands: a self-join has two. */
export type TableMention = {
  /** Its `scanName` has this number. */
  readonly index: number
  /** Name parts as written, unquoted, the table last. */
  readonly path: readonly string[]
  /** What the SQL calls it from there on. */
  readonly alias: string
  readonly at: { readonly unit: string; readonly expression: TreeNode } | undefined
}

export type GatedSelect = {
  /** The statement with every mention replaced by its `scanName`. */
  readonly statement: Statement
  readonly mentions: readonly TableMention[]
}

/** Table functions that make rows from their arguments alone. Every other one can reach files, settings or SQL text. */
const tableFunctions: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
])

/** Scalar functions that tell of the process around the query or change it. */
const refusedFunctions: ReadonlySet<string> = new Set([
  'currval',
  'current_setting',
  'getenv',
  'getvariable',
  'nextval',
  'query',
  'query_table',
  'sleep_ms',
  'write_log',
])

export function scanName(index: number): string {
  return `__floe_scan_${index}`
}

/**
 * Lets a SELECT through that reads catalog tables and nothing else, and finds the tables. Names of common table
 * expressions shadow tables inside their scope only.
 * @param firstIndex  of the mentions: statements that run together share the numbers
 * @throws FloeError permission-denied for functions outside the lists, invalid-input for SHOW
 */
export function gateSelect(statement: Statement, firstIndex = 0): GatedSelect {
  const gate = new SelectGate(firstIndex)
  const gated = gate.visit(statement, new Set())
  return { statement: withoutNamespaces(gated as Statement, gate.mentions), mentions: gate.mentions }
}

/** Names of common table expressions in scope, in lower case. */
type Scope = ReadonlySet<string>

class SelectGate {
  readonly mentions: TableMention[] = []
  readonly #firstIndex: number

  constructor(firstIndex: number) {
    this.#firstIndex = firstIndex
  }

  visit(value: TreeValue, scope: Scope): TreeValue {
    if (isList(value)) return value.map((item) => this.visit(item, scope))
    if (!isNode(value)) return value
    checkNode(value)
    if (value['type'] === 'BASE_TABLE') return this.#visitTable(value, scope)
    if (isNode(value['cte_map'])) return this.#visitQuery(value, value['cte_map'], scope)
    return mapMembers(value, (member) => this.visit(member, scope))
  }

  #visitTable(node: TreeNode, scope: Scope): TreeValue {
    const name = text(node['table_name'])
    const path = [text(node['catalog_name']), text(node['schema_name']), name].filter((part) => part !== '')
    const at = isNode(node['at_clause']) ? node['at_clause'] : undefined
    if (path.length === 1 && scope.has(name.toLowerCase())) {
      if (at === undefined) return node
      throw new FloeError('invalid-input', `"${name}" is a common table expression and has no versions`, {
        hint: 'write AT inside the expression, at the table that it reads',
      })
    }
    const alias = text(node['alias']) || name
    const index = this.#firstIndex + this.mentions.length
    this.mentions.push({ index, path, alias, at: at === undefined ? undefined : versionOf(at, path) })
    return { ...node, catalog_name: '', schema_name: '', table_name: scanName(index), alias, at_clause: null }
  }

  /** A node that may have WITH: each expression sees those before it, and itself when it is recursive. */
  #visitQuery(node: TreeNode, cteMap: TreeNode, scope: Scope): TreeValue {
    const inner = new Set(scope)
    const entries: TreeNode[] = []
    for (const entry of nodes(cteMap['map'])) {
      const name = text(entry['key']).toLowerCase()
      const own = isRecursive(entry) ? new Set([...inner, name]) : inner
      entries.push(this.visit(entry, own) as TreeNode)
      inner.add(name)
    }
    const rest = mapMembers(node, (member, key) => (key === 'cte_map' ? member : this.visit(member, inner)))
    return { ...rest, cte_map: { ...cteMap, map: entries } }
  }
}

function isRecursive(entry: TreeNode): boolean {
  const name = text(entry['key']).toLowerCase()
  for (const node of treeNodes(entry)) {
    if (node['type'] === 'RECURSIVE_CTE_NODE' && text(node['cte_name']).toLowerCase() === name) return true
  }
  return false
}

function versionOf(at: TreeNode, path: readonly string[]): TableMention['at'] {
  const expression = at['expr']
  if (!isNode(expression)) return undefined
  for (const node of treeNodes(expression)) {
    if (node['class'] !== 'SUBQUERY' && node['class'] !== 'COLUMN_REF' && node['class'] !== 'PARAMETER')
      continue
    throw new FloeError('invalid-input', `the version of ${path.join('.')} must be a constant expression`, {
      hint: "write AT (VERSION => 123), AT (VERSION => 'tag') or AT (TIMESTAMP => now() - INTERVAL 1 DAY)",
    })
  }
  return { unit: text(at['unit']).toUpperCase(), expression }
}

function checkNode(node: TreeNode): void {
  if (node['type'] === 'TABLE_FUNCTION') return checkTableFunction(node)
  if (node['type'] === 'SHOW_REF' && !isNode(node['query'])) {
    throw new FloeError('invalid-input', 'SHOW is not available', {
      hint: 'DESCRIBE <namespace>.<table> shows columns; list tables with the catalog',
    })
  }
  if (node['class'] === 'PARAMETER') {
    throw new FloeError('invalid-input', 'parameters such as $1 or ? are not supported', {
      hint: 'write the value into the SQL',
    })
  }
  if (node['class'] === 'FUNCTION' && refusedFunctions.has(text(node['function_name']).toLowerCase())) {
    throw refusal(`the function ${text(node['function_name'])}`)
  }
}

function checkTableFunction(node: TreeNode): void {
  const called = isNode(node['function']) ? node['function'] : {}
  const name = text(called['function_name']).toLowerCase()
  const schema = text(called['schema'])
  const known =
    tableFunctions.has(name) && text(called['catalog']) === '' && (schema === '' || schema === 'main')
  if (!known) throw refusal(`the table function ${name}`)
}

function refusal(what: string): FloeError {
  return new FloeError('permission-denied', `${what} may not be used`, {
    hint: `SQL reads catalog tables; the table functions are ${[...tableFunctions].join(', ')}`,
  })
}

/** `ns.t.column` as `t.column`: the scan that stands for `ns.t` is in no namespace. */
function withoutNamespaces(statement: Statement, mentions: readonly TableMention[]): Statement {
  const qualified = mentions.filter(({ path }) => path.length > 1)
  if (qualified.length === 0) return statement
  return rename(statement) as Statement

  function rename(value: TreeValue): TreeValue {
    if (isList(value)) return value.map(rename)
    if (!isNode(value)) return value
    const changed = mapMembers(value, rename)
    if (value['class'] !== 'COLUMN_REF') return changed
    const names = texts(value['column_names'])
    const mention = qualified.find(({ path }) => startsWith(names, path))
    return mention === undefined
      ? changed
      : { ...changed, column_names: [mention.alias, ...names.slice(mention.path.length)] }
  }
}

function startsWith(names: readonly string[], path: readonly string[]): boolean {
  return (
    names.length > path.length && path.every((part, at) => names[at]?.toLowerCase() === part.toLowerCase())
  )
}
