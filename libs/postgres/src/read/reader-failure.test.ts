import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { FloeError } from '@floe/iceberg'
import {
  connectSource,
  drainCopy,
  exportSnapshot,
  findSourceTables,
  openSourceReader,
  planChunks,
  planColumns,
} from '../index.ts'
import type { Chunk, SourceConnection, SourceReader, SourceSnapshot, SourceTable } from '../index.ts'

let postgres: TestPostgres
let client: SourceConnection
let table: SourceTable
let snapshot: SourceSnapshot
let chunks: readonly Chunk[]

beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.query('CREATE TABLE big AS SELECT i, md5(i::text) AS v FROM generate_series(1, 200000) i')
  client = await connectSource(postgres.url)
  table = (await findSourceTables(client, 'public.big'))[0] as SourceTable
  snapshot = await exportSnapshot(client, { tables: [table] })
  chunks = (await planChunks(client, table, { workers: 2 })).chunks
})
afterAll(async () => {
  await client.end()
  await postgres.stop()
})

function openReader(
  method: 'copy' | 'cursor',
  signal?: AbortSignal,
  source: SourceTable = table,
): Promise<SourceReader> {
  return openSourceReader({
    url: postgres.url,
    snapshotId: snapshot.id,
    columns: planColumns(source),
    method,
    batchRowsMax: 1000,
    batchBytesMax: 1024 * 1024,
    clock: performance,
    ...(signal === undefined ? {} : { signal }),
  })
}

function taker(from: readonly Chunk[] = chunks): () => Chunk | undefined {
  const queue = [...from]
  return () => queue.shift()
}

async function failure(promise: Promise<unknown>): Promise<FloeError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof FloeError)) throw new Error(`expected a FloeError, got ${String(error)}`)
  return error
}

describe.each(['copy', 'cursor'] as const)('a reader by %s', (method) => {
  it('gives no batch while the one before is being handled', async () => {
    const reader = await openReader(method)
    let handling = 0
    let overlaps = 0
    let rows = 0
    const stats = await reader.read(taker(), async ({ rowCount }) => {
      if (handling > 0) overlaps++
      handling++
      await new Promise((resolve) => setImmediate(resolve))
      handling--
      rows += rowCount
    })
    await reader.close()
    expect({ overlaps, rows, counted: stats.rows }).toEqual({ overlaps: 0, rows: 200_000, counted: 200_000 })
  })

  it('stops with the error of the batch handler', async () => {
    const reader = await openReader(method)
    const error = await failure(
      reader.read(taker(), () => Promise.reject(new FloeError('resource-exhausted', 'the disk is full'))),
    )
    await reader.close()
    expect(error).toMatchObject({ code: 'resource-exhausted', message: 'the disk is full' })
  })

  it('stops when it is cancelled', async () => {
    const abort = new AbortController()
    const reader = await openReader(method, abort.signal)
    const error = await failure(reader.read(taker(), () => abort.abort()))
    await reader.close()
    expect(error.code).toBe('cancelled')
    expect((await failure(openReader(method, abort.signal))).code).toBe('cancelled')
  })

  it('names the relation when the server refuses the query', async () => {
    const reader = await openReader(method)
    const error = await failure(
      reader.read(taker([{ kind: 'whole', index: 0, relation: '"public"."gone"' }]), () => undefined),
    )
    await reader.close()
    expect(error).toMatchObject({ code: 'not-found' })
    expect(error.message).toContain('reading "public"."gone"')
  })

  it('is unavailable when its session is ended on the server', async () => {
    const reader = await openReader(method)
    const kill = (): Promise<unknown> =>
      postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'floe' AND pid <> $1`,
        [(client as unknown as { processID: number }).processID],
      )
    let killed = false
    const endless = (): Chunk => chunks[0] as Chunk
    const error = await failure(
      reader.read(endless, async () => {
        if (!killed) await kill()
        killed = true
      }),
    )
    await reader.close()
    expect(error.code).toBe('unavailable')
    expect(error.retryable).toBe(true)
  })
})

it('reads the same bytes by drain and by reader', async () => {
  const reader = await openReader('copy')
  const { wireBytes } = await reader.read(taker(), () => undefined)
  await reader.close()
  expect(await drainCopy(postgres.url, snapshot.id, planColumns(table), taker())).toEqual({ wireBytes })
  expect(
    (
      await failure(
        drainCopy(
          postgres.url,
          snapshot.id,
          planColumns(table),
          taker([{ kind: 'whole', index: 0, relation: 'gone' }]),
        ),
      )
    ).code,
  ).toBe('not-found')
})

it('covers every row exactly once with its chunks', async () => {
  const seen = new Set<number>()
  const reader = await openReader('copy')
  await reader.read(taker(chunks.toReversed()), ({ rowCount, columns }) => {
    const values = columns[0]?.values
    if (values?.layout !== 'int32') throw new Error('not an int column')
    for (let row = 0; row < rowCount; row++) seen.add(values.values[row] as number)
  })
  await reader.close()
  expect(chunks.length).toBeGreaterThanOrEqual(8)
  expect(seen.size).toBe(200_000)
})

it('keeps a column without nulls free of levels, and starts levels at the first null', async () => {
  await postgres.query(
    'CREATE TABLE sparse AS SELECT i AS whole, CASE WHEN i = 7 THEN NULL ELSE i END AS holed FROM generate_series(1, 10) i',
  )
  const other = await connectSource(postgres.url)
  const [source] = await findSourceTables(other, 'public.sparse')
  await other.end()
  const reader = await openSourceReader({
    url: postgres.url,
    snapshotId: await freshSnapshot(),
    columns: planColumns(source as SourceTable),
    method: 'copy',
    batchRowsMax: 8,
    batchBytesMax: 1024,
    clock: performance,
  })
  const levels: (readonly (readonly number[] | undefined)[])[] = []
  await reader.read(
    taker([{ kind: 'whole', index: 0, relation: 'public.sparse' }]),
    ({ rowCount, columns }) => {
      levels.push(
        columns.map(
          ({ definitionLevels }) => definitionLevels && [...definitionLevels.subarray(0, rowCount)],
        ),
      )
    },
  )
  await reader.close()
  expect(levels).toEqual([
    [undefined, [1, 1, 1, 1, 1, 1, 0, 1]],
    [undefined, undefined],
  ])
})

const holders: SourceConnection[] = []
afterAll(async () => {
  for (const holder of holders) await holder.end()
})

async function freshSnapshot(): Promise<string> {
  const holder = await connectSource(postgres.url)
  holders.push(holder)
  return (await exportSnapshot(holder)).id
}

it('says so when the snapshot is gone', async () => {
  const holder = await connectSource(postgres.url)
  const released = await exportSnapshot(holder)
  await released.release()
  await holder.end()
  const options = {
    url: postgres.url,
    columns: planColumns(table),
    batchRowsMax: 1,
    batchBytesMax: 1,
    clock: performance,
  }
  const error = await failure(openSourceReader({ ...options, snapshotId: released.id, method: 'copy' }))
  expect(error.message).toContain(released.id)
  expect(error.hint).toContain('exporting session')
})

it('fails when a column changed its type after the plan was made', async () => {
  await postgres.query('CREATE TABLE altered AS SELECT 1::int AS v')
  const other = await connectSource(postgres.url)
  const [source] = await findSourceTables(other, 'public.altered')
  await other.end()
  await postgres.query('ALTER TABLE altered ALTER v TYPE int8')
  const reader = await openSourceReader({
    url: postgres.url,
    snapshotId: await freshSnapshot(),
    columns: planColumns(source as SourceTable),
    method: 'copy',
    batchRowsMax: 8,
    batchBytesMax: 1024,
    clock: performance,
  })
  const error = await failure(
    reader.read(taker([{ kind: 'whole', index: 0, relation: 'public.altered' }]), () => undefined),
  )
  await reader.close()
  expect(error).toMatchObject({ code: 'corrupt-data' })
  expect(error.message).toContain('"v"')
})
