import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { copyInto } from '@floe/datasets'
import { Lakehouse, listAllTables, readSettings } from '@floe/lakehouse'
import { planScan } from '@floe/planner'
import { locationToFilePath } from '@floe/storage'
import { startPostgres } from '@floe/testing'
import type { QueryWorkload } from './query-workload.ts'

/** A table as engines without a catalog find it. */
export type TableFiles = {
  readonly name: string
  readonly metadataFile: string
  readonly dataFiles: readonly string[]
}

const namespace = ['bench']
const serverSettings = { shared_buffers: '1GB', max_wal_size: '8GB', jit: 'off', autovacuum: 'off' }

/** The lakehouse whose catalog and tables are below one folder. */
export function openLakehouse(folder: string, workers: number): Lakehouse {
  mkdirSync(folder, { recursive: true })
  const flags = {
    catalog: `sqlite:${path.join(folder, 'catalog.db')}`,
    warehouse: `file:${path.join(folder, 'warehouse')}`,
    workers: String(workers),
  }
  return new Lakehouse(readSettings(flags, {}, folder, workers))
}

/** Loads the tables of a workload into a lakehouse as a user would: from PostgreSQL. */
export async function fillLakehouse(
  lakehouse: Lakehouse,
  { tables }: QueryWorkload,
  log: (text: string) => void,
): Promise<void> {
  await using postgres = await startPostgres({ settings: serverSettings })
  for (const { name, columns, rows } of tables) {
    await postgres.query(`CREATE TABLE public.${name} (${columns})`)
    const count = await copyInto(postgres.url, `public.${name}`, rows)
    log(`${name}: ${count.toLocaleString('en-US')} rows in PostgreSQL`)
  }
  await postgres.query('ANALYZE')
  const { tables: loaded } = await lakehouse.load({
    sourceUrl: postgres.url,
    tables: ['public.*'],
    namespace,
    mode: 'create',
  })
  const failed = loaded.find(({ status }) => status !== 'loaded')
  if (failed !== undefined) throw new Error(JSON.stringify(failed))
}

/** Every table of the lakehouse with the files of its current version, largest table first. */
export async function tableFiles(lakehouse: Lakehouse): Promise<readonly TableFiles[]> {
  const catalog = await lakehouse.catalog()
  const found: TableFiles[] = []
  for (const identifier of await listAllTables(catalog)) {
    const { metadata, metadataLocation = '' } = await catalog.loadTable(identifier)
    const { tasks } = await planScan({ metadata }, { store: lakehouse.store })
    found.push({
      name: identifier.name,
      metadataFile: locationToFilePath(metadataLocation),
      dataFiles: tasks.map(({ dataFile }) => locationToFilePath(dataFile.filePath)),
    })
  }
  return found
}
