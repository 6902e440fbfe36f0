import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openPool } from '@floe/compute'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadAtInstant } from './instant-load.ts'
import type { InstantLoadPlaces } from './instant-load.ts'

/** Makes the tables of TPC-B and changes them, in many sessions, until `stop`. */
export type BusyWriter = {
  makeTables(postgres: TestPostgres): Promise<void>
  start(postgres: TestPostgres): { stop(): Promise<void> }
}

/** The tables and the text of a row, in PostgreSQL and in DuckDB. */
const micros = {
  source: `(extract(epoch FROM mtime) * 1000000)::bigint`,
  lake: 'epoch_us(mtime)',
}
const tables = [
  { table: 'pgbench_branches', columns: ['bid', 'bbalance'] },
  { table: 'pgbench_tellers', columns: ['tid', 'bid', 'tbalance'] },
  { table: 'pgbench_accounts', columns: ['aid', 'bid', 'abalance'] },
  { table: 'pgbench_history', columns: ['tid', 'bid', 'aid', 'delta', 'mtime'] },
] as const

type Side = keyof typeof micros

function rowTexts({ table, columns }: (typeof tables)[number], namespace: string, side: Side): string {
  const values = columns.map((column) => (column === 'mtime' ? micros[side] : column))
  return `SELECT concat(${values.join(`, ':', `)}) AS row FROM ${namespace}.${table}`
}

const committed = 'SELECT count(*)::int AS row FROM public.pgbench_history'

/** Each finds other transactions open. */
const incrementRounds = 3

/** The writer takes what it gets of the machine. */
const timeoutMs = 180_000

const open = new AsyncDisposableStack()
let places: InstantLoadPlaces
let lakehouse: Lakehouse

async function startBusySource(writer: BusyWriter): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'floe-instant-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(path.join(folder, '.floe'))
  const postgres = open.use(await startPostgres())
  places = { postgres, folder, pool: open.use(openPool({ workers: 2 })) }
  lakehouse = open.use(new Lakehouse(readSettings({}, {}, folder, 1)))
  await writer.makeTables(postgres)
  const writing = writer.start(postgres)
  open.defer(() => writing.stop())
}

async function lakeRows(sql: string): Promise<readonly string[]> {
  const result = await lakehouse.query(sql)
  const rows: string[] = []
  for await (const batch of result.rows()) rows.push(...batch.map(String))
  await result.close()
  return rows
}

async function transactions(): Promise<number> {
  const [row] = await places.postgres.query<{ row: number }>(committed)
  return row?.row ?? 0
}

/** Row by row, in a session that sees what the load saw, while the writer has gone on. */
async function expectInstant(
  request: Parameters<typeof loadAtInstant>[0],
  loaded: readonly (typeof tables)[number][],
): Promise<void> {
  const before = await transactions()
  await using instant = await loadAtInstant(request, places)
  const after = await transactions()
  expect(instant.report.tables.map(({ status }) => status)).toEqual(loaded.map(() => 'loaded'))
  expect(instant.snapshotIds.size).toBe(1)
  const [atInstant] = await instant.sourceRows(committed)
  expect(Number(atInstant), 'the writer was busy before the instant').toBeGreaterThanOrEqual(before)
  expect(after, 'the writer was busy during the load').toBeGreaterThan(Number(atInstant))
  for (const table of loaded) {
    const source = await instant.sourceRows(rowTexts(table, 'public', 'source'))
    const lake = await lakeRows(rowTexts(table, request.namespace.join('.'), 'lake'))
    expect(lake.toSorted(), table.table).toEqual(source.toSorted())
  }
}

const all = { tables: ['public.pgbench_*'], namespace: ['bank'] }
// History has no key: only a load of the whole can replace it.
const keyed = tables.filter(({ table }) => table !== 'pgbench_history')
const increments = { tables: keyed.map(({ table }) => `public.${table}`), namespace: ['increments'] }

/** What a load has read of tables that a writer changes meanwhile is what PostgreSQL shows at the load's instant. */
export function describeBusySource(name: string, writer: BusyWriter): void {
  describe(`a load of tables that ${name} writes to`, { timeout: timeoutMs }, () => {
    beforeAll(() => startBusySource(writer))
    afterAll(() => open.disposeAsync())

    it.each(['copy', 'cursor'] as const)(
      'has every table as it was at one instant, read by %s',
      async (method) => {
        await expectInstant({ ...all, mode: 'replace', method }, tables)
        const [sums] = await lakeRows(`SELECT concat((SELECT sum(abalance) FROM bank.pgbench_accounts), ':',
        (SELECT sum(tbalance) FROM bank.pgbench_tellers), ':', (SELECT sum(bbalance) FROM bank.pgbench_branches), ':',
        (SELECT sum(delta) FROM bank.pgbench_history))`)
        expect(new Set(sums?.split(':')).size, sums).toBe(1)
      },
    )

    it('has it in one transaction too', () =>
      expectInstant({ ...all, mode: 'replace', transaction: true }, tables))

    it('has it after each increment by xmin, whichever transactions were open', async () => {
      for (let round = 0; round < incrementRounds; round++)
        await expectInstant({ ...increments, mode: 'incremental', cursor: { column: 'xmin' } }, keyed)
    })
  })
}
