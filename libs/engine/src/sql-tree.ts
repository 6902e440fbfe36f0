import { FloeError } from '@floe/iceberg'

import type { DuckDBConnection } from '@duckdb/node-api'
import { readFirstText, readRows } from './duckdb-session.ts'
import { quoteText } from './sql-text.ts'

/**
 * DuckDB's own syntax tree as `json_serialize_sql` prints it. Numbers that JavaScript would change (`10.0`, integers
 * beyond 2^53) are `RawNumber`s, so that the tree goes back to SQL without loss.
 */
export type TreeValue = null | boolean | number | string | RawNumber | readonly TreeValue[] | TreeNode
export type TreeNode = { readonly [key: string]: TreeValue }
// An interface, so that it is no `TreeNode`: those have an index signature.
interface RawNumber {
  readonly rawJSON: string
}

type NativeJson = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown
  rawJSON(text: string): RawNumber
}
// ECMAScript "JSON.parse source text access": in Node 24, not in TypeScript's library yet.
const nativeJson = JSON as unknown as NativeJson

const plainInteger = /^-?\d+$/

/** One statement of the tree, `{ node, named_param_map }`. */
export type Statement = TreeNode

/**
 * Parses SQL that must be one SELECT (VALUES, WITH, FROM-first, DESCRIBE and SUMMARIZE are SELECTs too).
 * Everything that could change something is refused here, because DuckDB serializes SELECT statements only.
 * @throws FloeError invalid-input
 */
export async function parseSelect(connection: DuckDBConnection, sql: string): Promise<Statement> {
  const parsed = parseTree(await readFirstText(connection, 'SELECT json_serialize_sql($1::VARCHAR)', [sql]))
  if (parsed['error'] === true) throw parseError(parsed)
  const statements = nodes(parsed['statements'])
  const [statement] = statements
  if (statement === undefined || statements.length > 1) {
    throw new FloeError('invalid-input', `one statement is expected, not ${statements.length}`, {
      hint: 'send each SELECT by itself, without anything after a semicolon',
    })
  }
  return statement
}

function parseError(parsed: TreeNode): FloeError {
  if (parsed['error_type'] === 'not implemented') {
    return new FloeError('invalid-input', 'only SELECT statements may run', {
      hint: 'write a SELECT; PIVOT needs its values spelled out in IN (...)',
    })
  }
  const position = text(parsed['position'])
  const where = position === '' ? '' : ` (character ${Number(position) + 1})`
  return new FloeError('invalid-input', `the SQL does not parse: ${text(parsed['error_message'])}${where}`, {
    hint: 'the dialect is DuckDB SQL; quote names with "double" and text with \'single\' quotes',
  })
}

/** Conditions parsed each for itself, in one call; `undefined` for what is no SQL. */
export async function parseConditions(
  connection: DuckDBConnection,
  conditions: readonly string[],
): Promise<readonly (TreeNode | undefined)[]> {
  if (conditions.length === 0) return []
  const calls = conditions.map(
    (condition) => `json_serialize_sql(${quoteText(`SELECT 1 WHERE ${condition}`)}::VARCHAR)`,
  )
  const [row = []] = await readRows(connection, `SELECT ${calls.join(', ')}`)
  return row.map((json) => {
    const [statement, second] = nodes(parseTree(String(json))['statements'])
    const where = isNode(statement?.['node']) ? statement['node']['where_clause'] : undefined
    return isNode(where) && second === undefined ? where : undefined
  })
}

/** The SQL of a statement. */
export async function treeToSql(connection: DuckDBConnection, statement: Statement): Promise<string> {
  const json = JSON.stringify({ error: false, statements: [statement] })
  return readFirstText(connection, 'SELECT json_deserialize_sql($1::JSON)', [json])
}

/** A text, or what DuckDB prints for a floating constant that JSON cannot hold. */
const textOrInfinite = /"(?:[^"\\]|\\.)*"|-?\b(?:Infinity|NaN)\b/g

export function parseTree(json: string): TreeNode {
  const plain = /Infinity|NaN/.test(json)
    ? json.replaceAll(textOrInfinite, (token) => (token.startsWith('"') ? token : `"${token}"`))
    : json
  return nativeJson.parse(plain, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value
    return Number.isSafeInteger(value) && plainInteger.test(source) ? value : nativeJson.rawJSON(source)
  }) as TreeNode
}

export function isNode(value: TreeValue | undefined): value is TreeNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}

function isRawNumber(value: TreeValue | undefined): value is RawNumber {
  return typeof value === 'object' && value !== null && 'rawJSON' in value
}

export function isList(value: TreeValue | undefined): value is readonly TreeValue[] {
  return Array.isArray(value)
}

export function nodes(value: TreeValue | undefined): readonly TreeNode[] {
  return isList(value) ? value.filter(isNode) : []
}

export function text(value: TreeValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function texts(value: TreeValue | undefined): readonly string[] {
  return isList(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The digits of a number as they were written. */
export function numberText(value: TreeValue | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return isRawNumber(value) ? value.rawJSON : undefined
}

/** A copy of a node with each member replaced by what `change` makes of it. */
export function mapMembers(node: TreeNode, change: (member: TreeValue, key: string) => TreeValue): TreeNode {
  return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, change(member, key)]))
}

/**
 * Every node of a tree.
 * @yields parents before their children
 */
export function* treeNodes(value: TreeValue): Generator<TreeNode> {
  if (isList(value)) {
    for (const item of value) yield* treeNodes(item)
    return
  }
  if (!isNode(value)) return
  yield value
  for (const member of Object.values(value)) yield* treeNodes(member)
}
