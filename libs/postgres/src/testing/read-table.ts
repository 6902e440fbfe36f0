import type { TestPostgres } from '@floe/testing'
import { batchRows } from '../batch-rows.ts'
import type { BatchValue } from '../batch-rows.ts'
import {
  connectSource,
  exportSnapshot,
  findSourceTables,
  openSourceReader,
  planChunks,
  planColumns,
} from '../index.ts'
import type { ReadMethod, ReadStats, TypePolicies } from '../index.ts'

export type ReadOptions = {
  readonly method?: ReadMethod
  readonly policies?: TypePolicies
  readonly batchRowsMax?: number
  readonly batchBytesMax?: number
  readonly chunkBytes?: number
  readonly afterSnapshot?: () => Promise<unknown>
  /** Waits in each batch, so that decoding goes on in a later turn. */
  readonly slow?: boolean
}
type Read = {
  readonly rows: readonly (readonly BatchValue[])[]
  readonly batches: readonly number[]
  readonly stats: ReadStats
  readonly layouts: readonly string[]
}

/** Reads a table as a load does, its plans and chunks copied as they are on their way to a worker. */
export async function readTable(
  postgres: TestPostgres,
  name: string,
  options: ReadOptions = {},
): Promise<Read> {
  const {
    method = 'copy',
    policies,
    batchRowsMax = 10_000,
    batchBytesMax = 64 * 1024 * 1024,
    slow = false,
  } = options
  const client = await connectSource(postgres.url)
  try {
    const [table] = await findSourceTables(client, name)
    if (table === undefined) throw new Error(`no ${name}`)
    const columns = structuredClone(planColumns(table, policies))
    const snapshot = await exportSnapshot(client, { tables: [table] })
    await options.afterSnapshot?.()
    const { chunkBytes } = options
    const { chunks } = await planChunks(client, table, {
      workers: 1,
      method,
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
    })
    const settings = {
      url: postgres.url,
      snapshotId: snapshot.id,
      columns,
      method,
      batchRowsMax,
      batchBytesMax,
    }
    const reader = await openSourceReader({ ...settings, clock: performance })
    const rows: (readonly BatchValue[])[] = []
    const batches: number[] = []
    let layouts: readonly string[] = []
    const queue = structuredClone([...chunks])
    try {
      const stats = await reader.read(
        () => queue.shift(),
        (batch) => {
          rows.push(...batchRows(columns, batch))
          batches.push(batch.rowCount)
          layouts = batch.columns.map(({ values }) => values.layout)
          return slow ? new Promise<void>((resolve) => setTimeout(resolve, 1)) : undefined
        },
      )
      return { rows, batches, stats, layouts }
    } finally {
      await reader.close()
    }
  } finally {
    await client.end()
  }
}

/** One-column table `one` of these SQL values, read both ways. */
export async function readBothWays(
  postgres: TestPostgres,
  type: string,
  values: readonly string[],
  policies?: TypePolicies,
): Promise<{ readonly copied: Read; readonly fetched: Read }> {
  await postgres.query('DROP TABLE IF EXISTS one')
  await postgres.query(`CREATE TABLE one (id int, v ${type})`)
  for (const [id, value] of values.entries()) await postgres.query(`INSERT INTO one VALUES (${id}, ${value})`)
  const options = policies === undefined ? {} : { policies }
  const copied = await readTable(postgres, 'public.one', options)
  const fetched = await readTable(postgres, 'public.one', { ...options, method: 'cursor' })
  return { copied, fetched }
}
