import { errorToData, FloeError, toFloeError } from '@floe/iceberg'
import type { Namespace, TableIdentifier } from '@floe/catalog'
import { findSourceTables } from '@floe/postgres'
import type { SourceConnection, SourceTable, TypePolicies } from '@floe/postgres'
import { tableName } from './load-target.ts'
import type { TableFailure } from './load-report.ts'
import { sourceName } from './plan-table.ts'
import type { TableSelection, TableSettings, TableTypePolicies } from './table-selection.ts'

/** A source table, the table that it becomes, and how. */
export type SelectedTable = {
  readonly source: SourceTable
  readonly identifier: TableIdentifier
  readonly settings: TableSettings
}

export type FoundSources = {
  /** Largest first. */
  readonly found: readonly SelectedTable[]
  readonly failures: readonly TableFailure[]
}

type Request = TableSettings & {
  readonly tables: readonly (string | TableSelection)[]
  readonly namespace: Namespace
}

/**
 * The source tables of a load. Of several entries that name one table the last counts, so that `public.*` may stand
 * before an exception. A pattern without a table is a failure beside the others.
 * @throws the failure when nothing is found; invalid-input for two tables that would get one name
 */
export async function findSources(request: Request, connection: SourceConnection): Promise<FoundSources> {
  if (request.tables.length === 0) {
    throw new FloeError('invalid-input', 'no table to load', { hint: 'name one with --table schema.table' })
  }
  const byOid = new Map<number, SelectedTable>()
  const failures: TableFailure[] = []
  let firstError: unknown
  for (const entry of request.tables) {
    const selection: TableSelection = typeof entry === 'string' ? { source: entry } : entry
    try {
      for (const table of await findSelected(selection, request, connection))
        byOid.set(table.source.oid, table)
    } catch (error) {
      // Without a connection every other pattern would fail too.
      if (toFloeError(error).code === 'unavailable') throw error
      firstError ??= error
      failures.push(missingTable(selection, error))
    }
  }
  if (byOid.size === 0) throw firstError
  const found = [...byOid.values()].toSorted((left, right) => right.source.sizeBytes - left.source.sizeBytes)
  assertDistinctNames(found)
  return { found, failures }
}

async function findSelected(
  selection: TableSelection,
  request: Request,
  connection: SourceConnection,
): Promise<readonly SelectedTable[]> {
  const { source: pattern, namespace = request.namespace, name, ...own } = selection
  const sources = await findSourceTables(connection, pattern)
  if (name !== undefined && sources.length > 1) {
    throw new FloeError('invalid-input', `${pattern} is more than one table and they cannot all be ${name}`, {
      hint: 'give a name to one table alone',
    })
  }
  return sources.map((source) => ({
    source,
    identifier: { namespace, name: name ?? source.name },
    settings: withOwnPolicies(source, { ...settingsOf(request), ...own }),
  }))
}

function settingsOf(request: TableSettings): TableSettings {
  const { mode, cursor, partitionBy, sortBy, columns, where, policies, properties } = request
  return {
    mode,
    ...(cursor === undefined ? {} : { cursor }),
    ...(partitionBy === undefined ? {} : { partitionBy }),
    ...(sortBy === undefined ? {} : { sortBy }),
    ...(columns === undefined ? {} : { columns }),
    ...(where === undefined ? {} : { where }),
    ...(policies === undefined ? {} : { policies }),
    ...(properties === undefined ? {} : { properties }),
  }
}

function withOwnPolicies(source: SourceTable, settings: TableSettings): TableSettings {
  const { policies } = settings
  return policies === undefined ? settings : { ...settings, policies: policiesOf(source, policies) }
}

/** The policies of one table's columns, under their bare names. */
function policiesOf(source: SourceTable, { default: all, columns = {} }: TableTypePolicies): TypePolicies {
  const prefix = `${sourceName(source)}.`
  const own = Object.entries(columns)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, policy]) => [name.slice(prefix.length), policy] as const)
  return { columns: Object.fromEntries(own), ...(all === undefined ? {} : { default: all }) }
}

function missingTable({ source, name }: TableSelection, error: unknown): TableFailure {
  const { stack: _, ...data } = errorToData(toFloeError(error))
  return { status: 'failed', table: name ?? source, source, error: data }
}

function assertDistinctNames(tables: readonly SelectedTable[]): void {
  const seen = new Map<string, SelectedTable>()
  for (const table of tables) {
    const name = tableName(table.identifier)
    const other = seen.get(name)
    if (other !== undefined) {
      throw new FloeError(
        'invalid-input',
        `${sourceName(other.source)} and ${sourceName(table.source)} would both become ${name}`,
        {
          hint: 'load them into two namespaces, one call each',
        },
      )
    }
    seen.set(name, table)
  }
}
