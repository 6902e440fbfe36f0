import type { Schema } from '@floe/iceberg'
import type { DuckDBConnection } from '@duckdb/node-api'

import type { FoundScan } from './bind-mentions.ts'
import { readRows } from './duckdb-session.ts'
import type { ScanNeed } from './placeholder.ts'
import { scanName } from './select-gate.ts'
import { isNode, mapMembers, nodes, parseSelect, text, texts, treeNodes, treeToSql } from './sql-tree.ts'
import type { Statement, TreeNode, TreeValue } from './sql-tree.ts'

/** An aggregate that the metrics of a file may answer; `fieldId` is a column at the top level. */
export type MetadataAggregate =
  | { readonly kind: 'count-rows' }
  | { readonly kind: 'count' | 'min' | 'max'; readonly fieldId: number }

/** Aggregates of one scan whose result is what metadata knows, together with what is left to be read. */
export type AggregatePushdown = { readonly index: number; readonly aggregates: readonly MetadataAggregate[] }

/** A view of one row: what metadata knows of a scan, column `a<n>` for aggregate `n`. */
export function knownName(index: number): string {
  return `__floe_known_${index}`
}

export type AggregateInput = {
  readonly scans: readonly FoundScan[]
  readonly needs: readonly ScanNeed[]
}

export type PushedStatement = {
  readonly statement: Statement
  readonly pushdowns: readonly AggregatePushdown[]
}

/**
 * Rewrites `SELECT count(*), min(a) FROM t WHERE ...` so that each aggregate is of the rows that are read and of a row
 * of constants, which the run fills from metrics. Only where the filter of the scan is known exactly, and where every
 * aggregate over the scan is a plain count, min or max.
 */
export async function pushAggregates(
  connection: DuckDBConnection,
  statement: Statement,
  input: AggregateInput,
): Promise<PushedStatement> {
  const pushdowns: AggregatePushdown[] = []
  const replaced = new Map<TreeNode, TreeNode>()
  for (const node of treeNodes(statement)) {
    const scan = node['type'] === 'SELECT_NODE' ? scanOf(node, input.scans) : undefined
    const need = input.needs[scan === undefined ? -1 : input.scans.indexOf(scan)]
    if (scan === undefined || need?.isExact !== true || !need.onlyMetadataAggregates) continue
    const pushed = await pushInto(connection, node, scan)
    if (pushed === undefined) continue
    replaced.set(node, pushed.node)
    pushdowns.push(pushed.pushdown)
  }
  return { statement: replaceNodes(statement, replaced) as Statement, pushdowns }
}

function replaceNodes(value: TreeValue, replaced: ReadonlyMap<TreeNode, TreeNode>): TreeValue {
  if (Array.isArray(value)) return value.map((item: TreeValue) => replaceNodes(item, replaced))
  if (!isNode(value)) return value
  return replaced.get(value) ?? mapMembers(value, (member) => replaceNodes(member, replaced))
}

/** The table that a query reads, when that is all it reads. */
function scanOf(node: TreeNode, scans: readonly FoundScan[]): FoundScan | undefined {
  const from = isNode(node['from_table']) ? node['from_table'] : {}
  const isPlain =
    from['type'] === 'BASE_TABLE' &&
    !isNode(from['sample']) &&
    !isNode(node['sample']) &&
    !isNode(node['qualify']) &&
    nodes(node['group_expressions']).length === 0
  const scan = scans.find(({ index }) => isPlain && text(from['table_name']) === scanName(index))
  // Metrics count rows that a restriction hides, and bound values that it masks.
  return scan?.source.kind === 'table' && scan.source.restrictions === undefined ? scan : undefined
}

type Pushed = { readonly node: TreeNode; readonly pushdown: AggregatePushdown }

async function pushInto(
  connection: DuckDBConnection,
  node: TreeNode,
  { index, schema }: FoundScan,
): Promise<Pushed | undefined> {
  const alias = text(isNode(node['from_table']) ? node['from_table']['alias'] : '')
  const aggregates: MetadataAggregate[] = []
  const found = new Map<TreeNode, TreeNode>()
  for (const part of [node['select_list'], node['having']]) {
    for (const call of treeNodes(part ?? null)) {
      if (call['class'] === 'SUBQUERY' || call['class'] === 'WINDOW' || call['class'] === 'STAR')
        return undefined
      if (call['class'] !== 'FUNCTION' || !aggregateNames.has(text(call['function_name']))) continue
      const aggregate = aggregateOf(call, schema, alias)
      if (aggregate === undefined) return undefined
      found.set(call, await withKnown(connection, call, aggregate.kind, { index, at: aggregates.length }))
      aggregates.push(aggregate)
    }
  }
  if (found.size === 0) return undefined
  const names = await columnNames(connection, node)
  if (names === undefined) return undefined
  const items = nodes(node['select_list']).map((item, at) => {
    const changed = replaceNodes(item, found) as TreeNode
    return changed === item ? item : { ...changed, alias: names[at] ?? '' }
  })
  const having = replaceNodes(node['having'] ?? null, found)
  return { node: { ...node, select_list: items, having }, pushdown: { index, aggregates } }
}

const aggregateNames: ReadonlySet<string> = new Set(['count_star', 'count', 'min', 'max'])

function aggregateOf(call: TreeNode, schema: Schema, alias: string): MetadataAggregate | undefined {
  const name = text(call['function_name'])
  const [argument, second] = nodes(call['children'])
  if (second !== undefined || call['distinct'] === true || isNode(call['filter'])) return undefined
  if (argument === undefined)
    return name === 'count_star' || name === 'count' ? { kind: 'count-rows' } : undefined
  const names = argument['class'] === 'COLUMN_REF' ? texts(argument['column_names']) : []
  const [column] = names.length === 2 && sameName(names[0], alias) ? names.slice(1) : names
  if (column === undefined || names.length > 2) return undefined
  const isQualified = names.length === 2
  if (
    isQualified &&
    (!sameName(names[0], alias) || schema.fields.some((field) => sameName(field.name, alias)))
  )
    return undefined
  const field = schema.fields.find((each) => sameName(each.name, column))
  if (field === undefined || (name !== 'count' && name !== 'min' && name !== 'max')) return undefined
  return { kind: name, fieldId: field.id }
}

function sameName(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase()
}

/** `count(*)` as `count(*) + known`, `min(a)` as `least(min(a), known)`. Least and greatest pass over nulls. */
async function withKnown(
  connection: DuckDBConnection,
  call: TreeNode,
  kind: MetadataAggregate['kind'],
  { index, at }: { readonly index: number; readonly at: number },
): Promise<TreeNode> {
  const known = `(SELECT a${at} FROM ${knownName(index)})`
  const forms = {
    'count-rows': `hole + ${known}`,
    count: `hole + ${known}`,
    min: `least(hole, ${known})`,
    max: `greatest(hole, ${known})`,
  }
  const template = await parseSelect(connection, `SELECT ${forms[kind]}`)
  const [item] = nodes(isNode(template['node']) ? template['node']['select_list'] : undefined)
  const hole = [...treeNodes(item ?? null)].find(
    (node) => node['class'] === 'COLUMN_REF' && texts(node['column_names'])[0] === 'hole',
  )
  if (item === undefined || hole === undefined) return call
  return replaceNodes(item, new Map([[hole, { ...call, alias: '' }]])) as TreeNode
}

/** Names that the columns of a query have; `undefined` when it does not stand by itself. */
async function columnNames(
  connection: DuckDBConnection,
  node: TreeNode,
): Promise<readonly string[] | undefined> {
  const sql = await treeToSql(connection, { node, named_param_map: [] })
  try {
    return (await readRows(connection, `DESCRIBE ${sql}`)).map(([name]) => String(name))
  } catch {
    // It refers to the query around it.
    return undefined
  }
}
