import { DatabaseSync } from 'node:sqlite'
import { startRestReference } from '@floe/peers'
import type { TestPostgres } from '@floe/testing'
import { writeLocalFile } from './catalog-target.ts'
import type { CatalogTarget } from './catalog-target.ts'

/** Name that the reference server gives its catalog. */
const catalogName = 'rest_backend'

/** The reference server on SQLite, or on PostgreSQL. */
export async function startReference(name: string, postgres?: TestPostgres): Promise<CatalogTarget> {
  const server = await startRestReference(
    postgres === undefined ? {} : { postgres: jdbcTarget(postgres.url) },
  )
  return {
    name,
    version: server.version,
    pid: server.pid,
    base: `${server.uri}/v1`,
    tables: `${server.warehouse}/bench`,
    writeMetadata: writeLocalFile,
    // Its rows have had the same form since the first release of the JDBC catalog.
    fillNamespace: async (namespace, tables) => {
      if (server.database !== undefined) fillSqlite(server.database, namespace, tables)
      else if (postgres !== undefined) await fillPostgres(postgres, namespace, tables)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function jdbcTarget(url: string): {
  readonly jdbcUrl: string
  readonly user: string
  readonly password: string
} {
  const { host, pathname, username, password } = new URL(url)
  return { jdbcUrl: `jdbc:postgresql://${host}${pathname}`, user: username, password }
}

function fillSqlite(file: string, namespace: string, tables: number): void {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  try {
    database.exec('BEGIN IMMEDIATE')
    const insert = database.prepare(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
       VALUES (?, ?, ?, 'file:///nowhere', 'TABLE')`,
    )
    for (let at = 0; at < tables; at++) insert.run(catalogName, namespace, `table_${at}`)
    database.exec('COMMIT')
  } finally {
    database.close()
  }
}

async function fillPostgres(postgres: TestPostgres, namespace: string, tables: number): Promise<void> {
  await postgres.query(
    `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
     SELECT $1, $2, 'table_' || at, 'file:///nowhere', 'TABLE' FROM generate_series(0, $3::int - 1) at`,
    [catalogName, namespace, tables],
  )
}
