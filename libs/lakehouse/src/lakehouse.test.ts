import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres } from '@floe/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectTable } from './inspect-table.ts'
import type { Rows, TableInspection } from './inspect-table.ts'
import { jsonOf } from './json-value.ts'
import { Lakehouse } from './lakehouse.ts'
import { readSettings } from './settings.ts'
import { listAllTables } from './table-directory.ts'

let folder: string
let lakehouse: Lakehouse
let inspection: TableInspection
let snapshotIds: readonly bigint[]

const source = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.orders (id bigint PRIMARY KEY, note text, price numeric(10,2), at timestamptz NOT NULL, on_day date);
  COMMENT ON COLUMN shop.orders.note IS 'what the customer said';
  INSERT INTO shop.orders SELECT i, 'note ' || i % 3, i / 4.0, timestamptz '2024-01-01 00:00:00+00' + i * interval '12 hours', '2024-01-01'
  FROM generate_series(1, 10) i`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-lakehouse-'))
  lakehouse = new Lakehouse(readSettings({}, {}, folder, 2))
  await using postgres = await startPostgres()
  await postgres.query(source)
  const request = { sourceUrl: postgres.url, tables: ['shop.orders'], namespace: ['lake', 'inner'] }
  const first = await lakehouse.load({ ...request, mode: 'create', partitionBy: 'month(at)' })
  const second = await lakehouse.load({ ...request, mode: 'append', sortBy: 'price desc, bucket(4, id)' })
  snapshotIds = [first, second].flatMap(({ tables }) =>
    tables.map((table) => (table.status === 'loaded' ? table.snapshotId : 0n)),
  )
  inspection = await inspectTable(await lakehouse.catalog(), lakehouse.store, {
    namespace: ['lake', 'inner'],
    name: 'orders',
  })
})
afterAll(async () => {
  await lakehouse.close()
  await rm(folder, { recursive: true, force: true })
})

function column({ columns, rows }: Rows, name: string): readonly unknown[] {
  return rows.map((row) => row[columns.indexOf(name)])
}

describe('a sort order given with a load', () => {
  it('is the table’s from then on, and of the files that are sorted by it', async () => {
    const { metadata } = await (
      await lakehouse.catalog()
    ).loadTable({ namespace: ['lake', 'inner'], name: 'orders' })
    const order = metadata.sortOrders.find(({ orderId }) => orderId === metadata.defaultSortOrderId)
    expect(order).toMatchObject({
      orderId: 1,
      fields: [{ direction: 'desc', nullOrder: 'nulls-last' }, { transform: { kind: 'bucket', count: 4 } }],
    })
    const result = await lakehouse.query('SELECT sort_order_id FROM lake.inner."orders$files" ORDER BY 1')
    const ids: unknown[] = []
    for await (const batch of result.rows()) ids.push(...batch.map(([id]) => id))
    await result.close()
    expect(new Set(ids)).toEqual(new Set([1, null]))
  })
})

describe('inspectTable', () => {
  it('shows where a table is, what it holds, and its columns', () => {
    const facts = new Map(inspection.show().rows.map(([name, value]) => [name, value]))
    expect(facts.get('location')).toContain(`file://${folder}/.floe/warehouse/lake/inner/orders-`)
    expect(Object.fromEntries(facts)).toMatchObject({
      'format-version': 2,
      snapshot: snapshotIds[1],
      rows: '20',
      'partitioned by': 'month(at)',
      'column 1: id': 'long required',
      'column 2: note': 'string  -- what the customer said',
      'column 3: price': 'decimal(10, 2)',
      'column 4: at': 'timestamptz required',
    })
  })

  it('lists snapshots with their parents, counts and refs', () => {
    const rows = inspection.snapshots()
    expect(column(rows, 'snapshot_id')).toEqual(snapshotIds)
    expect(column(rows, 'parent_id')).toEqual([null, snapshotIds[0]])
    expect(column(rows, 'operation')).toEqual(['append', 'append'])
    expect(column(rows, 'added_rows')).toEqual([10, 10])
    expect(column(rows, 'total_rows')).toEqual([10, 20])
    expect(column(rows, 'refs')).toEqual(['', 'main'])
  })

  it('tells which snapshot was current, oldest first', () => {
    const rows = inspection.history()
    expect(column(rows, 'snapshot_id')).toEqual(snapshotIds)
    expect(column(rows, 'is_current_ancestor')).toEqual([true, true])
    expect(new Date(String(column(rows, 'made_current_at')[0])).getTime()).toBeGreaterThan(
      Date.parse('2025-01-01'),
    )
  })

  it('lists data files with partition, size and bounds that people can read', async () => {
    const rows = await inspection.files()
    expect(rows.rows).toHaveLength(2)
    expect(column(rows, 'partition')).toEqual(['at_month=2024-01', 'at_month=2024-01'])
    expect(column(rows, 'rows')).toEqual([10, 10])
    expect(column(rows, 'bounds')[0]).toEqual({
      id: [1n, 10n],
      note: ['note 0', 'note 2'],
      price: ['0.25', '2.50'],
      at: ['2024-01-01T12:00:00.000000+00:00', '2024-01-06T00:00:00.000000+00:00'],
      on_day: ['2024-01-01', '2024-01-01'],
    })
    for (const file of column(rows, 'file')) expect(await lakehouse.store.head(String(file))).toBeDefined()
  })

  it('says that a table does not exist', async () => {
    const catalog = await lakehouse.catalog()
    await expect(
      inspectTable(catalog, lakehouse.store, { namespace: ['lake'], name: 'no' }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('Lakehouse', () => {
  it('lists the tables of nested namespaces', async () => {
    expect(await listAllTables(await lakehouse.catalog())).toEqual([
      { namespace: ['lake', 'inner'], name: 'orders' },
    ])
  })

  it('answers SQL over the present and the past', async () => {
    const count = async (sql: string): Promise<unknown> => {
      const result = await lakehouse.query(sql)
      return (await Array.fromAsync(result.rows())).flat()
    }
    expect(await count('SELECT count(*) FROM lake.inner.orders')).toEqual([[20]])
    expect(await count(`SELECT count(*) FROM lake.inner.orders AT (VERSION => ${snapshotIds[0]})`)).toEqual([
      [10],
    ])
  })

  it('answers a question with the snapshot that it read', async () => {
    const answer = await lakehouse.ask('how many orders are there')
    expect(answer).toMatchObject({
      kind: 'answer',
      rows: [[20]],
      references: [{ snapshotId: snapshotIds[1] }],
      provider: 'rules',
    })
  })

  it('can be closed before anything was opened, and twice', async () => {
    const unused = new Lakehouse(readSettings({}, {}, folder, 2))
    await unused.close()
    await unused.close()
  })

  it('closes what did open when something else could not', async () => {
    const broken = new Lakehouse(readSettings({ catalog: `sqlite:${folder}` }, {}, folder, 2))
    await expect(broken.query('SELECT 1 FROM a.b')).rejects.toMatchObject({ name: 'FloeError' })
    await broken.close()
  })
})

describe('jsonOf', () => {
  it('loses nothing that JSON can say', () => {
    expect(
      jsonOf([
        null,
        undefined,
        2n ** 60n,
        1.5,
        Number.NaN,
        -Infinity,
        true,
        'x',
        Uint8Array.of(1, 255),
        new Map([[1, 'a']]),
        { a: [1n] },
      ]),
    ).toEqual([null, null, 2n ** 60n, 1.5, 'NaN', '-Infinity', true, 'x', '\\x01ff', [[1, 'a']], { a: [1n] }])
  })
})

describe('a catalog in PostgreSQL', () => {
  it('is what a lakehouse and its REST server work with, and is there for the next one', async () => {
    await using postgres = await startPostgres()
    await postgres.query('CREATE TABLE public.things AS SELECT i AS id FROM generate_series(1, 5) i')
    const settings = readSettings({ catalog: postgres.url }, {}, folder, 1)
    {
      await using first = new Lakehouse(settings)
      const request = { sourceUrl: postgres.url, tables: ['public.things'], namespace: ['shop'] }
      const { tables } = await first.load({ ...request, mode: 'create' })
      expect(tables.map(({ status }) => status)).toEqual(['loaded'])
    }
    await using second = new Lakehouse(settings)
    const routes = await second.catalogRoutes()
    const response = await routes.request('/v1/namespaces/shop/tables')
    expect(await response.json()).toMatchObject({ identifiers: [{ namespace: ['shop'], name: 'things' }] })
    const result = await second.query('SELECT count(*) AS n FROM shop.things')
    expect(await Array.fromAsync(result.rows())).toEqual([[[5]]])
  })
})
