import { findRef, FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { SnapshotSelector } from '@floe/planner'
import type { DuckDBConnection } from '@duckdb/node-api'

import { pinClock } from './clock-functions.ts'
import { readRows } from './duckdb-session.ts'
import type { TableMention } from './select-gate.ts'
import { treeToSql } from './sql-tree.ts'
import type { Statement, TreeNode } from './sql-tree.ts'

/**
 * The version that `AT (VERSION => ...)` or `AT (TIMESTAMP => ...)` names. An integer is a snapshot id, text is a
 * branch or a tag, or, when `metadata` has no such ref, the digits of a snapshot id, which Spark writes in quotes.
 * DuckDB computes the expression; times without a zone are UTC.
 * @throws FloeError invalid-input when the expression is no integer, text or time
 */
export async function selectorOf(
  connection: DuckDBConnection,
  { at, path }: TableMention,
  nowMs: number,
  metadata?: TableMetadata,
): Promise<SnapshotSelector> {
  if (at === undefined) return { kind: 'current' }
  const value = await evaluate(connection, selecting(at.expression, nowMs), at.unit)
  if (at.unit === 'VERSION' && typeof value === 'bigint') return { kind: 'id', snapshotId: value }
  if (at.unit === 'VERSION' && typeof value === 'string') {
    const isId = /^\d{1,19}$/.test(value) && metadata !== undefined && findRef(metadata, value) === undefined
    return isId ? { kind: 'id', snapshotId: BigInt(value) } : { kind: 'ref', name: value }
  }
  if (at.unit === 'TIMESTAMP' && typeof value === 'bigint')
    return { kind: 'timestamp', timestampMs: Number(value) }
  throw new FloeError('invalid-input', `the ${at.unit.toLowerCase()} of ${path.join('.')} has no value`, {
    hint: "write AT (VERSION => 123), AT (VERSION => 'branch-or-tag') or AT (TIMESTAMP => '2026-01-31 10:00:00')",
  })
}

async function evaluate(connection: DuckDBConnection, statement: Statement, unit: string): Promise<unknown> {
  const sql = await treeToSql(connection, statement)
  const wrapped =
    unit === 'TIMESTAMP'
      ? `SELECT epoch_ms(CAST(value AS TIMESTAMP WITH TIME ZONE)) FROM (${sql}) AS version(value)`
      : `SELECT CASE WHEN typeof(value) = 'VARCHAR' THEN value::VARCHAR END, TRY_CAST(value AS BIGINT), typeof(value)
         FROM (${sql}) AS version(value)`
  const [row] = await readRows(connection, wrapped)
  if (unit === 'TIMESTAMP') return row?.[0] ?? undefined
  const [name, snapshotId, type] = row ?? []
  if (typeof name === 'string') return name
  return integerTypes.has(String(type)) ? (snapshotId ?? undefined) : undefined
}

const integerTypes: ReadonlySet<string> = new Set([
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UBIGINT',
  'SMALLINT',
  'TINYINT',
])

/** `SELECT <expression>` as a tree. */
function selecting(expression: TreeNode, nowMs: number): Statement {
  const statement = {
    node: {
      type: 'SELECT_NODE',
      modifiers: [],
      cte_map: { map: [] },
      select_list: [expression],
      from_table: { type: 'EMPTY', alias: '', sample: null },
      where_clause: null,
      group_expressions: [],
      group_sets: [],
      aggregate_handling: 'STANDARD_HANDLING',
      having: null,
      sample: null,
      qualify: null,
    },
    named_param_map: [],
  }
  return pinClock(statement, nowMs, [])
}
