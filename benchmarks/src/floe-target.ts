import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { SqlCatalogSettings } from '@floe/catalog/sql'
import { parseTableUpdate } from '@floe/iceberg'
import { dataFolder, freePort, startServerProcess } from '@floe/peers'
import { openMemoryStore } from '@floe/storage/memory'
import type { TestPostgres } from '@floe/testing'
import { writeLocalFile } from './catalog-target.ts'
import type { CatalogTarget } from './catalog-target.ts'
import { gitCommit } from './measurement.ts'
import { tableSchema } from './table-history.ts'

const floe = fileURLToPath(new URL('../../apps/cli/bin/floe.cjs', import.meta.url))
/** New tables of one transaction. */
const batch = 500

/** `floe serve` with local files, its catalog in a SQLite file or in `postgres`. */
export async function startFloe(name: string, postgres?: TestPostgres): Promise<CatalogTarget> {
  const data = dataFolder('bench-catalog')
  const file = path.join(data, 'catalog.db')
  const database: SqlCatalogSettings['database'] =
    postgres === undefined ? { kind: 'sqlite', path: file } : { kind: 'postgres', url: postgres.url }
  const warehouse = pathToFileURL(path.join(data, 'warehouse')).href
  const port = await freePort()
  const root = `http://127.0.0.1:${port}`
  const flags = ['--catalog', postgres?.url ?? `sqlite:${file}`, '--warehouse', warehouse]
  const server = await startServerProcess({
    name,
    command: process.execPath,
    args: [floe, ...flags, 'serve', '--role', 'catalog', '--port', String(port)],
    probe: `${root}/v1/config`,
    folder: data,
  })
  return {
    name,
    version: gitCommit(),
    pid: server.pid,
    base: `${root}/v1`,
    tables: `${warehouse}/bench`,
    writeMetadata: writeLocalFile,
    fillNamespace: (namespace, tables) => fill(database, namespace, tables),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Rows by the catalog's own transactions; the metadata files, which nobody reads, stay in memory. */
async function fill(
  database: SqlCatalogSettings['database'],
  namespace: string,
  tables: number,
): Promise<void> {
  const settings = {
    database,
    warehouse: 'memory://bench',
    clock: { now: () => Date.now() },
    uuid: randomUUID,
  }
  const catalog = await openSqlCatalog(settings, { store: openMemoryStore() })
  try {
    for (let first = 0; first < tables; first += batch) {
      const count = Math.min(batch, tables - first)
      await catalog.commitTransaction(
        Array.from({ length: count }, (_, at) => ({
          identifier: { namespace: [namespace], name: `table_${first + at}` },
          requirements: [{ type: 'assert-create' as const }],
          updates: newTableUpdates,
        })),
      )
    }
  } finally {
    await catalog.close()
  }
}

const newTableUpdates = [
  { action: 'upgrade-format-version', 'format-version': 2 },
  { action: 'add-schema', schema: tableSchema, 'last-column-id': 5 },
  { action: 'set-current-schema', 'schema-id': -1 },
  { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
  { action: 'set-default-sort-order', 'sort-order-id': -1 },
].map((update) => parseTableUpdate(update))
