import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '@floe/catalog'
import { describeCatalog } from '@floe/catalog/contract'
import type { CatalogSubject } from '@floe/catalog/contract'
import { openRestCatalog } from '@floe/catalog/rest'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { SqlCatalogSettings } from '@floe/catalog/sql'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'

const base = 'memory://lake/warehouse'
const store = openMemoryStore()

let folder: string
let opened: Catalog[] = []
let postgres: TestPostgres
let postgresSchemas = 0

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'floe-catalog-'))
})

afterEach(async () => {
  for (const catalog of opened) await catalog.close()
  opened = []
  clearMemoryStore('lake')
  await rm(folder, { recursive: true })
})

async function openSql(
  database: SqlCatalogSettings['database'] = { kind: 'sqlite', path: join(folder, 'catalog.db') },
): Promise<CatalogSubject> {
  const catalog = await openSqlCatalog(
    {
      database,
      warehouse: base,
      clock: manualClock(1_700_000_000_000),
      uuid: randomUUID,
    },
    { store },
  )
  opened.push(catalog)
  return { catalog, store, base }
}

/** A schema of its own for each test. */
function openPostgres(): Promise<CatalogSubject> {
  postgresSchemas += 1
  return openSql({ kind: 'postgres', url: `${postgres.url}?schema=test_${postgresSchemas}` })
}

async function openRest(prefix?: string): Promise<CatalogSubject> {
  const { catalog: served } = await openSql()
  const routes = createCatalogRoutes({
    catalog: served,
    clock: manualClock(1_700_000_000_000),
    ...(prefix === undefined ? {} : { prefix }),
  })
  const serve: typeof fetch = async (input, init) => routes.request(input as string, init)
  const catalog = await openRestCatalog({ uri: 'http://catalog.test/' }, { fetch: serve })
  opened.push(catalog)
  return { catalog, store, base }
}

describeCatalog('SQLite catalog', () => openSql())
describeCatalog('PostgreSQL catalog', openPostgres)
describeCatalog('REST client and server', () => openRest())
describeCatalog('REST client and server with a prefix', () => openRest('lake-1'))

describe.each([
  { name: 'SQLite catalog', open: () => openSql() },
  { name: 'PostgreSQL catalog', open: openPostgres },
])('namespaces of the $name', ({ open }) => {
  it('name the folder of their tables: below the warehouse, or where the nearest one with a location says', async () => {
    const { catalog } = await open()
    await catalog.createNamespace(['a'])
    await catalog.createNamespace(['a', 'b.é'])
    expect(await catalog.loadNamespace(['a', 'b.é'])).toEqual({ location: `${base}/a/b._` })
    await catalog.updateNamespace(['a'], { updates: { location: 'memory://lake/else' }, removals: [] })
    expect(await catalog.loadNamespace(['a'])).toEqual({ location: 'memory://lake/else' })
    expect(await catalog.loadNamespace(['a', 'b.é'])).toEqual({ location: 'memory://lake/else/b._' })
    const schema = {
      schemaId: 0,
      fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
    } as const
    const { metadata } = await catalog.createTable({ namespace: ['a', 'b.é'], name: 't' }, { schema })
    expect(metadata.location).toMatch(/^memory:\/\/lake\/else\/b\._\/t-/)
  })
})
