import type { DuckDBConnection } from '@duckdb/node-api'

import { bindMentions, restrictionsOf } from './bind-mentions.ts'
import type { FoundScan } from './bind-mentions.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import { findJoinKeys } from './join-key.ts'
import type { JoinKey } from './join-key.ts'
import { pushAggregates } from './metadata-aggregate.ts'
import type { AggregatePushdown } from './metadata-aggregate.ts'
import { everythingNeeded, explainScans, nothingNeeded } from './placeholder.ts'
import type { ScanNeed, ViewDefinition } from './placeholder.ts'
import { spellOutDistinctFrom } from './distinct-from.ts'
import { isNode, nodes, numberText, treeNodes, treeToSql } from './sql-tree.ts'
import type { Statement, TreeNode } from './sql-tree.ts'
import type { TableCatalog } from './table-lookup.ts'

export type BindComponents = {
  readonly catalog: TableCatalog
  readonly clock: { now(): number }
  readonly planning: DuckDBSession
}

/** A table at one place of a SELECT: what it is, which version of it, and what the SELECT needs of it. */
export type BoundScan = FoundScan & { readonly need: ScanNeed }

export type BoundSelect = {
  /** SQL over relations named by `scanName`. */
  readonly sql: string
  /** False for DESCRIBE and SUMMARIZE, which look at relations from outside. */
  readonly isQuery: boolean
  readonly scans: readonly BoundScan[]
  /** The catalog's views that the SELECT stands on, each after those that it stands on itself. */
  readonly views: readonly ViewDefinition[]
  /** Rows that a LIMIT over one scan wants, offset included. */
  readonly rowsWanted: number | undefined
  /** Scans of which the metrics of files answer a part. */
  readonly pushdowns: readonly AggregatePushdown[]
  /** Equalities between tables, by which one may prune the other. */
  readonly joinKeys: readonly JoinKey[]
}

/** From the text of a SELECT to the versions of tables that it reads and the filters on each. Reads no data. */
export async function bindSelect(text: string, components: BindComponents): Promise<BoundSelect> {
  const connection = await components.planning.connect()
  try {
    return await bind(text, connection, components)
  } finally {
    // Placeholders are temporary tables of this connection and go with it.
    connection.closeSync()
  }
}

async function bind(
  text: string,
  connection: DuckDBConnection,
  { catalog, clock }: BindComponents,
): Promise<BoundSelect> {
  const mentions = await bindMentions(text, { catalog, connection, nowMs: clock.now() })
  const { scans: found, views } = mentions
  const statement = spellOutDistinctFrom(mentions.statement)
  const sql = await treeToSql(connection, statement)
  const masked = (scan: FoundScan): ReadonlySet<number> => new Set(restrictionsOf(scan)?.masks.keys())
  const explained = found.map((scan) => ({ ...scan, masked: masked(scan) }))
  const needs = await explainScans(connection, { sql, scans: explained, views })
  // DESCRIBE shows columns, for which no file is needed.
  const describes = isDescribe(statement)
  const scans = found.map((scan, at) => ({
    ...scan,
    need: describes ? nothingNeeded : (needs[at] ?? everythingNeeded),
  }))
  const isAnyRow = scans.every((scan) => scan.need.onlyLimited && restrictionsOf(scan) === undefined)
  const pushed = await pushAggregates(connection, statement, { scans: found, needs })
  const { pushdowns } = pushed
  return {
    sql: pushdowns.length === 0 ? sql : await treeToSql(connection, pushed.statement),
    isQuery: ![...treeNodes(statement)].some((node) => node['type'] === 'SHOW_REF'),
    scans,
    views,
    rowsWanted: isAnyRow ? limitOf(statement) : undefined,
    pushdowns,
    joinKeys: describes ? [] : openJoinKeys(statement, found),
  }
}

/** Keys of rows that a restriction hides, or of values that it masks, prune nothing and are pruned by nothing. */
function openJoinKeys(statement: Statement, found: readonly FoundScan[]): readonly JoinKey[] {
  if (found.length < 2) return []
  const open = new Set(found.filter((scan) => restrictionsOf(scan) === undefined).map(({ index }) => index))
  const keys = findJoinKeys(statement, found)
  return keys.filter(({ source, pruned }) => open.has(source.index) && open.has(pruned.index))
}

function isDescribe(statement: Statement): boolean {
  const query: TreeNode = isNode(statement['node']) ? statement['node'] : {}
  return isNode(query['from_table']) && query['from_table']['show_type'] === 'DESCRIBE'
}

/** LIMIT plus OFFSET of a statement's outermost query, when both are plain integers. */
function limitOf(statement: Statement): number | undefined {
  const query: TreeNode = isNode(statement['node']) ? statement['node'] : {}
  const limit = nodes(query['modifiers']).find((modifier) => modifier['type'] === 'LIMIT_MODIFIER')
  if (limit === undefined) return undefined
  const rows = integerOf(limit['limit'])
  const skipped = limit['offset'] === null ? 0 : integerOf(limit['offset'])
  return rows === undefined || skipped === undefined ? undefined : rows + skipped
}

function integerOf(value: TreeNode[string] | undefined): number | undefined {
  const constant =
    isNode(value) && value['class'] === 'CONSTANT' && isNode(value['value']) ? value['value'] : undefined
  const number = Number(numberText(constant?.['value']) ?? Number.NaN)
  return Number.isSafeInteger(number) ? number : undefined
}
