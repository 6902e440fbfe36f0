import { DuckDBInstance, StatementType, type DuckDBConnection } from '@duckdb/node-api'
import { FloeError } from '@floe/iceberg'
import type { SqlRunner } from '../sql-runner.ts'
import type { TableDescription, TableDirectory } from '../table-directory.ts'

/** The runner of these tests: DuckDB over in-memory tables, each at snapshot 1 plus its place in the directory. */
export type GoldenRunner = SqlRunner & AsyncDisposable & { readonly statements: readonly string[] }

export async function openGoldenRunner(
  setup: string,
  tables: readonly TableDescription[],
): Promise<GoldenRunner> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(setup)
  const statements: string[] = []
  return {
    statements,
    async checkSelect(sql) {
      await refuseOthers(connection, sql)
    },
    async run(sql, options = {}) {
      statements.push(sql)
      const reader = await connection.runAndReadUntil(sql, options.rowsMax ?? 1000).catch(toInvalidInput)
      const columns = reader
        .columnNames()
        .map((name, index) => ({ name, type: String(reader.columnType(index)) }))
      const references = tables
        .map(({ name, snapshotId }) => ({ table: name, snapshotId }))
        .filter(({ table }) => sql.includes(`FROM ${quoted(table)}`) || sql.includes(`JOIN ${quoted(table)}`))
      return { columns, rows: reader.getRowsJS().slice(0, options.rowsMax ?? 1000), references }
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync()
      instance.closeSync()
      await Promise.resolve()
    },
  }
}

async function refuseOthers(connection: DuckDBConnection, sql: string): Promise<void> {
  const extracted = await connection.extractStatements(sql).catch(toInvalidInput)
  if (extracted.count !== 1)
    throw new FloeError('invalid-input', `one statement is allowed, not ${extracted.count}`)
  const prepared = await extracted.prepare(0).catch(toInvalidInput)
  const isSelect = prepared.statementType === StatementType.SELECT
  prepared.destroySync()
  if (!isSelect) throw new FloeError('permission-denied', 'only SELECT is allowed')
}

function toInvalidInput(error: unknown): never {
  throw new FloeError('invalid-input', error instanceof Error ? error.message : String(error), {
    cause: error,
  })
}

function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
}

export function directoryOf(tables: readonly TableDescription[]): TableDirectory {
  return { listTables: () => Promise.resolve(tables) }
}
