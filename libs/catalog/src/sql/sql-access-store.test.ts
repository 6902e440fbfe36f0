import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { equal } from '@floe/iceberg'
import type { Schema } from '@floe/iceberg'
import { openFileStore } from '@floe/storage/fs'
import { manualClock, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import type { AccessStore, Grant, Principal, Securable, StoredToken } from '../access-store.ts'
import type { Catalog, TableIdentifier } from '../catalog.ts'
import { createSqlAccessStore, openCatalogDatabase } from './index.ts'
import type { CatalogDatabase, CatalogDatabaseSettings } from './index.ts'

const schema: Schema = {
  schemaId: 0,
  fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }],
}
const ada: Principal = { name: 'ada', roles: ['analysts', 'it'] }
const toAda = { kind: 'principal', name: 'ada' } as const
const toAnalysts = { kind: 'role', name: 'analysts' } as const
const shop: Securable = { kind: 'namespace', namespace: ['shop'] }
const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }
const onOrders: Securable = { kind: 'table', identifier: orders }

let postgres: TestPostgres
let folder: string
let database: CatalogDatabase
let catalog: Catalog
let access: AccessStore
let schemas = 0

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(async () => {
  await postgres.stop()
})

describe.each(['sqlite', 'postgres'] as const)('the access store on %s', (dialect) => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'floe-access-'))
    const settings: CatalogDatabaseSettings['database'] =
      dialect === 'sqlite'
        ? { kind: 'sqlite', path: join(folder, 'catalog.db') }
        : { kind: 'postgres', url: `${postgres.url}?schema=access_${schemas++}` }
    database = await openCatalogDatabase(
      { database: settings, clock: manualClock(1), uuid: randomUUID },
      { store: openFileStore() },
    )
    catalog = database.catalog({ name: 'lake', location: `file://${folder}/lake` })
    access = createSqlAccessStore(database.sql, { clock: manualClock(1) })
    await catalog.createNamespace(['shop'])
    await catalog.createNamespace(['shop', 'old'])
    await catalog.createTable(orders, { schema })
  })

  afterEach(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })

  function token(id: string, rest: Partial<StoredToken> = {}): StoredToken {
    return {
      id,
      kind: 'token',
      principal: ada,
      secretHash: 'ff',
      createdAtMs: 9_007_199_254_740_000,
      ...rest,
    }
  }

  it('keeps tokens, and ends sessions with the client that they were issued for', async () => {
    await access.insertToken(token('a', { expiresAtMs: 5 }))
    await access.insertToken(token('b', { kind: 'client' }))
    await access.insertToken(token('c', { kind: 'session', issuedFor: 'b', expiresAtMs: 9 }))
    expect(await access.findToken('a')).toEqual(token('a', { expiresAtMs: 5 }))
    expect(await access.findToken('c')).toEqual(
      token('c', { kind: 'session', issuedFor: 'b', expiresAtMs: 9 }),
    )
    expect((await access.listTokens()).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await access.deleteToken('b')).toBe(true)
    expect(await access.deleteToken('b')).toBe(false)
    expect(await access.findToken('c')).toBeUndefined()
    await access.deleteTokensExpiredBefore(6)
    expect(await access.findToken('a')).toBeUndefined()
  })

  it('finds the grants of a principal and of its roles, in one warehouse and on the server', async () => {
    const grants: readonly Grant[] = [
      { to: toAda, privilege: 'read', on: shop },
      { to: toAnalysts, privilege: 'write', on: onOrders },
      { to: { kind: 'role', name: 'it' }, privilege: 'manage', on: { kind: 'server' } },
      { to: { kind: 'principal', name: 'bob' }, privilege: 'manage', on: { kind: 'warehouse' } },
      // A role that is called like a principal is another grantee.
      { to: { kind: 'role', name: 'ada' }, privilege: 'manage', on: { kind: 'warehouse' } },
    ]
    for (const grant of grants) expect(await access.setGrant('lake', grant)).toBe('set')
    const byObject = (left: Grant, right: Grant): number => left.on.kind.localeCompare(right.on.kind)
    expect([...(await access.grantsOf('lake', ada))].sort(byObject)).toEqual(
      grants.slice(0, 3).sort(byObject),
    )
    expect(await access.grantsOf('other', ada)).toEqual([grants[2]])
    expect(await access.grantsOf('lake', { name: 'eve', roles: [] })).toEqual([])
    expect(await access.listGrants('lake')).toHaveLength(5)
  })

  it('has one privilege for each grantee and thing, and takes it away', async () => {
    await access.setGrant('lake', { to: toAda, privilege: 'manage', on: shop })
    await access.setGrant('lake', { to: toAda, privilege: 'read', on: shop })
    expect(await access.listGrants('lake')).toEqual([{ to: toAda, privilege: 'read', on: shop }])
    expect(await access.removeGrant('lake', toAda, { kind: 'warehouse' })).toBe(false)
    expect(await access.removeGrant('lake', toAda, shop)).toBe(true)
    expect(await access.listGrants('lake')).toEqual([])
  })

  it('grants nothing on what is not there', async () => {
    const nowhere: Securable = { kind: 'namespace', namespace: ['nowhere'] }
    const noTable: Securable = { kind: 'table', identifier: { namespace: ['shop'], name: 'nothing' } }
    expect(await access.setGrant('lake', { to: toAda, privilege: 'read', on: nowhere })).toBe('no-object')
    expect(await access.setGrant('lake', { to: toAda, privilege: 'read', on: noTable })).toBe('no-object')
    expect(await access.setGrant('other', { to: toAda, privilege: 'read', on: onOrders })).toBe('no-object')
    expect(await access.removeGrant('lake', toAda, noTable)).toBe(false)
  })

  it('follows a table to its new name, and not to a new table of the old name', async () => {
    const renamed: TableIdentifier = { namespace: ['shop', 'old'], name: 'bills' }
    const rule = { to: toAnalysts, table: orders, masks: [], rowFilter: equal(1, 5) }
    await access.setGrant('lake', { to: toAda, privilege: 'read', on: onOrders })
    await access.setReadRule('lake', rule)
    await catalog.renameTable(orders, renamed)
    await catalog.createTable(orders, { schema })
    expect(await access.grantsOf('lake', ada)).toEqual([
      { to: toAda, privilege: 'read', on: { kind: 'table', identifier: renamed } },
    ])
    expect(await access.readRulesOf('lake', ada, renamed)).toEqual([{ ...rule, table: renamed }])
    expect(await access.readRulesOf('lake', ada, orders)).toEqual([])
    const { metadataLocation = '' } = await catalog.unregisterTable(renamed)
    expect(await access.listGrants('lake')).toEqual([])
    await catalog.registerTable({ namespace: ['shop'], name: 'again' }, metadataLocation)
    expect(await access.listReadRules('lake')).toMatchObject([{ table: { name: 'again' } }])
  })

  it('forgets the grants on a namespace with the namespace', async () => {
    const old: Securable = { kind: 'namespace', namespace: ['shop', 'old'] }
    await access.setGrant('lake', { to: toAda, privilege: 'manage', on: old })
    await catalog.dropNamespace(['shop', 'old'])
    await catalog.createNamespace(['shop', 'old'])
    expect(await access.listGrants('lake')).toEqual([])
  })

  it('keeps read rules, one for each grantee and table', async () => {
    const rule = {
      to: toAda,
      table: orders,
      masks: [{ fieldId: 1, action: 'sha-256-global' as const }],
      rowFilter: equal(1, '9007199254740993'),
    }
    expect(await access.setReadRule('lake', { ...rule, masks: [] })).toBe('set')
    expect(await access.setReadRule('lake', rule)).toBe('set')
    expect(await access.listReadRules('lake')).toEqual([rule])
    expect(await access.readRulesOf('lake', { name: 'ada', roles: [] }, orders)).toEqual([rule])
    expect(await access.readRulesOf('lake', { name: 'bob', roles: ['ada'] }, orders)).toEqual([])
    expect(await access.setReadRule('lake', { ...rule, table: { ...orders, name: 'no' } })).toBe('no-object')
    expect(await access.removeReadRule('lake', toAda, orders)).toBe(true)
    expect(await access.removeReadRule('lake', toAda, orders)).toBe(false)
  })
})
