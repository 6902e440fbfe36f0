import type { LoadedTable } from '@floe/catalog'
import type { Schema, Snapshot } from '@floe/iceberg'
import { resolveSnapshot, selectedSchema } from '@floe/planner'
import type { SnapshotSelector } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { pinClock } from './clock-functions.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import { explainScans } from './placeholder.ts'
import type { ScanNeed } from './placeholder.ts'
import { gateSelect } from './select-gate.ts'
import type { TableMention } from './select-gate.ts'
import { isNode, nodes, numberText, parseSelect, treeToSql } from './sql-tree.ts'
import type { Statement, TreeNode } from './sql-tree.ts'
import { restrictScan } from './restricted-scan.ts'
import type { ScanRestrictions } from './restricted-scan.ts'
import { findTable, tableName } from './table-lookup.ts'
import type { TableCatalog } from './table-lookup.ts'
import { selectorOf } from './version-clause.ts'
import { rewriteVersionSyntax } from './version-syntax.ts'

export type BindComponents = {
  readonly catalog: TableCatalog
  readonly clock: { now(): number }
  readonly planning: DuckDBSession
}

/** A table at one place of a SELECT: what it is, which version of it, and what the SELECT needs of it. */
export type BoundScan = {
  readonly table: string
  readonly loaded: LoadedTable
  readonly selector: SnapshotSelector
  readonly snapshot: Snapshot | undefined
  readonly schema: Schema
  readonly need: ScanNeed
  /** What the asker may see of it; everything when absent. */
  readonly restrictions: ScanRestrictions | undefined
}

export type BoundSelect = {
  /** SQL over views named by `scanName`. */
  readonly sql: string
  readonly scans: readonly BoundScan[]
  /** Rows that a LIMIT over one scan wants, offset included. */
  readonly rowsWanted: number | undefined
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
  components: BindComponents,
): Promise<BoundSelect> {
  const nowMs = components.clock.now()
  const { statement, mentions } = gateSelect(await parseSelect(connection, rewriteVersionSyntax(text)))
  const found: Omit<BoundScan, 'need'>[] = []
  for (const mention of mentions) found.push(await bindMention(mention, nowMs, connection, components))
  const schemas = found.map(({ schema }) => schema)
  const masked = found.map(({ restrictions }) => new Set(restrictions?.masks.keys()))
  const sql = await treeToSql(connection, pinClock(statement, nowMs, schemas))
  const needs = await explainScans(connection, sql, schemas, masked)
  // DESCRIBE shows columns, for which no file is needed.
  const all = {
    filter: { kind: isDescribe(statement) ? ('false' as const) : ('true' as const) },
    onlyLimited: false,
  }
  const scans = found.map((scan, at) => ({ ...scan, need: isDescribe(statement) ? all : (needs[at] ?? all) }))
  const isAnyRow = scans.every(({ need, restrictions }) => need.onlyLimited && restrictions === undefined)
  const rowsWanted = isAnyRow ? limitOf(statement) : undefined
  return { sql, scans, rowsWanted }
}

async function bindMention(
  mention: TableMention,
  nowMs: number,
  connection: DuckDBConnection,
  { catalog }: BindComponents,
): Promise<Omit<BoundScan, 'need'>> {
  const loaded = await findTable(catalog, mention.path)
  const { metadata } = loaded
  const selector = await selectorOf(connection, mention, nowMs)
  const snapshot = resolveSnapshot(metadata, selector, { nowMs })
  const schema = selectedSchema(metadata, selector, snapshot)
  const restrictions = restrictScan(loaded, schema)
  return { table: tableName(loaded.identifier), loaded, selector, snapshot, schema, restrictions }
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
