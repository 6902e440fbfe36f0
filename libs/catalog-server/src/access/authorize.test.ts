import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Securable } from '@floe/catalog'
import { bootstrap, openFixture } from './access-fixture.ts'
import type { AccessFixture } from './access-fixture.ts'

const shop: Securable = { kind: 'namespace', namespace: ['shop'] }
const eu: Securable = { kind: 'namespace', namespace: ['shop', 'eu'] }
const orders = '/v1/namespaces/shop/tables/orders'
const noChange = { requirements: [], updates: [] }
const setProperty = { requirements: [], updates: [{ action: 'set-properties', updates: { touched: 'yes' } }] }

let fixture: AccessFixture

beforeEach(async () => {
  fixture = await openFixture()
})

afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
})

async function status(method: string, path: string, token?: string, body?: unknown): Promise<number> {
  return (await fixture.send(method, path, token, body)).status
}

describe('lists', () => {
  it('show what one may see, and the way to it', async () => {
    const token = await fixture.tokenFor('ada', 'read', {
      kind: 'table',
      identifier: { namespace: ['shop', 'eu'], name: 'orders' },
    })
    expect(await fixture.json('GET', '/v1/namespaces', token)).toMatchObject({ namespaces: [['shop']] })
    expect(await fixture.json('GET', '/v1/namespaces?parent=shop', token)).toMatchObject({
      namespaces: [['shop', 'eu']],
    })
    expect(await fixture.json('GET', '/v1/namespaces/shop/tables', token)).toMatchObject({ identifiers: [] })
    expect(await fixture.json('GET', '/v1/namespaces/shop%1Feu/tables', token)).toMatchObject({
      identifiers: [{ namespace: ['shop', 'eu'], name: 'orders' }],
    })
    expect(await status('GET', '/v1/namespaces/hr/tables', token)).toBe(403)
    expect(await status('GET', '/v1/namespaces?parent=hr', token)).toBe(403)
  })

  it('have pages that tell nothing of what is hidden', async () => {
    const token = await fixture.tokenFor('ada', 'read', {
      kind: 'table',
      identifier: { namespace: ['shop'], name: 'secrets' },
    })
    const page = await fixture.json('GET', '/v1/namespaces/shop/tables?pageSize=1', token)
    expect(page).toEqual({ identifiers: [{ namespace: ['shop'], name: 'secrets' }], 'next-page-token': null })
  })
})

describe('what is forbidden', () => {
  it('is the same whether it exists or not', async () => {
    const token = await fixture.tokenFor('ada', 'read', eu)
    const answers = await Promise.all(
      ['hr/tables/orders', 'hr/tables/nothing', 'nowhere/tables/orders'].map(async (path) => {
        const response = await fixture.send('GET', `/v1/namespaces/${path}`, token)
        return [response.status, (await response.text()).replaceAll(/hr|nowhere|orders|nothing/g, '')]
      }),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.[0]).toBe(403)
    expect(await status('GET', '/v1/namespaces/shop%1Feu/tables/nothing', token)).toBe(404)
  })

  it('stays so under every spelling of the name', async () => {
    const token = await fixture.tokenFor('ada', 'read', eu)
    const spellings = [
      '/v1/namespaces/%68%72/tables/orders',
      '/v1/namespaces/hr/tables/%6Frders',
      '/v1//namespaces/hr/tables/orders',
      '/v1/%6Eamespaces/hr/tables/orders',
      '/v1/namespaces/shop%1feu/../hr/tables/orders',
      '/v1/namespaces/shop%1Feu%2F..%2Fhr/tables/orders',
      '/v1/namespaces/namespaces/hr/tables/orders',
      '/v1/namespaces/hr/tables/orders?namespace=shop%1Feu',
      '/v1/namespaces/hr/tables/orders/',
      '/v1/lake/namespaces/hr/tables/orders',
      '/v1/l%61ke/namespaces/hr/tables/orders',
      '/management/v1/..%2fv1/grants',
    ]
    for (const path of spellings) expect([400, 403, 404], path).toContain(await status('GET', path, token))
  })

  it('is not opened by the view that refers to it', async () => {
    const token = await fixture.tokenFor('ada', 'write', eu)
    const view = {
      name: 'window',
      schema: { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] },
      'view-version': {
        'version-id': 1,
        'schema-id': 0,
        'timestamp-ms': 1,
        summary: {},
        'default-namespace': ['hr'],
        representations: [{ type: 'sql', sql: 'SELECT id FROM hr.orders', dialect: 'spark' }],
      },
      properties: {},
    }
    expect(await status('POST', '/v1/namespaces/shop%1Feu/views', token, view)).toBe(200)
    expect(await status('GET', '/v1/namespaces/hr/tables/orders?referenced-by=shop%1Feu.window', token)).toBe(
      403,
    )
  })
})

describe('tokens', () => {
  it('end when they are over, or revoked', async () => {
    await fixture.grant({ to: { kind: 'principal', name: 'ada' }, privilege: 'read', on: shop })
    const short = await fixture.token({ name: 'ada', roles: [] }, 1000)
    const long = await fixture.token({ name: 'ada', roles: [] })
    expect(await status('GET', orders, short)).toBe(200)
    fixture.clock.advance(1001)
    expect(await status('GET', orders, short)).toBe(401)
    const { tokens } = await fixture.json('GET', '/management/v1/tokens', bootstrap)
    const infos = tokens as readonly { id: string }[]
    expect(JSON.stringify(infos)).not.toMatch(/secret|hash/i)
    for (const { id } of infos)
      expect(await status('DELETE', `/management/v1/tokens/${id}`, bootstrap)).toBe(204)
    expect(await status('GET', orders, long)).toBe(401)
  })

  it('must come whole, as a bearer token, and only so', async () => {
    const token = await fixture.tokenFor('ada', 'manage')
    expect(await status('GET', `${orders}?access_token=${token}`)).toBe(401)
    const asBasic = { authorization: `Basic ${Buffer.from(`ada:${token}`).toString('base64')}` }
    expect((await fixture.send('GET', orders, undefined, undefined, asBasic)).status).toBe(401)
    for (const wrong of [
      token.slice(0, -1),
      `${token}x`,
      token.toUpperCase(),
      token.split('_')[2] ?? '',
      'bootstrap',
      `${bootstrap}x`,
    ])
      expect(await status('GET', orders, wrong)).toBe(401)
    const spelled = { authorization: `bearer  ${token}` }
    expect((await fixture.send('GET', orders, undefined, undefined, spelled)).status).toBe(200)
  })

  it('carry roles, which are no principals', async () => {
    await fixture.grant({ to: { kind: 'role', name: 'analysts' }, privilege: 'read', on: shop })
    expect(await status('GET', orders, await fixture.token({ name: 'ada', roles: ['analysts'] }))).toBe(200)
    expect(await status('GET', orders, await fixture.token({ name: 'analysts', roles: [] }))).toBe(403)
  })

  it('of another warehouse open nothing here', async () => {
    const token = await fixture.tokenFor('ada', 'manage', { kind: 'warehouse' }, 'other')
    expect(await status('GET', '/v1/config', token)).toBe(403)
    expect(await status('GET', '/v1/config?warehouse=other', token)).toBe(403)
    expect(await status('GET', orders, token)).toBe(403)
  })

  it('of the settings may do everything, and nobody else who is called so', async () => {
    expect(await status('DELETE', orders, bootstrap)).toBe(204)
    expect(
      await status('GET', '/v1/namespaces/shop', await fixture.token({ name: 'bootstrap', roles: [] })),
    ).toBe(403)
  })
})

describe('changes', () => {
  it('rename into a forbidden namespace, or out of one, by nobody', async () => {
    const identifier = { namespace: ['shop'], name: 'orders' }
    const elsewhere = { namespace: ['hr'], name: 'stolen' }
    const token = await fixture.tokenFor('ada', 'manage', shop)
    expect(
      await status('POST', '/v1/tables/rename', token, { source: identifier, destination: elsewhere }),
    ).toBe(403)
    expect(
      await status('POST', '/v1/tables/rename', token, {
        source: { ...elsewhere, name: 'orders' },
        destination: { ...identifier, name: 'x' },
      }),
    ).toBe(403)
    const within = { source: identifier, destination: { namespace: ['shop', 'eu'], name: 'moved' } }
    expect(await status('POST', '/v1/tables/rename', token, within)).toBe(204)
  })

  it('in a transaction with one forbidden table happen nowhere', async () => {
    const token = await fixture.tokenFor('ada', 'write', shop)
    const changes = ['shop', 'hr'].map((namespace) => ({
      identifier: { namespace: [namespace], name: 'orders' },
      ...setProperty,
    }))
    expect(await status('POST', '/v1/transactions/commit', token, { 'table-changes': changes })).toBe(403)
    const { metadata } = await fixture.catalog.loadTable({ namespace: ['shop'], name: 'orders' })
    expect(metadata.properties).not.toHaveProperty('touched')
    expect(
      await status('POST', '/v1/transactions/commit', token, { 'table-changes': changes.slice(0, 1) }),
    ).toBe(204)
  })

  it('put no table where the files of others are', async () => {
    const { location } = (await fixture.catalog.loadTable({ namespace: ['hr'], name: 'orders' })).metadata
    const own = (await fixture.catalog.loadTable({ namespace: ['shop'], name: 'orders' })).metadata.location
    const token = await fixture.tokenFor('ada', 'manage', shop)
    const fields = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] }
    const tables = '/v1/namespaces/shop/tables'
    const outside = [location, `${own}/../../hr/x`, own.slice(0, own.lastIndexOf('/shop')), 7]
    for (const place of outside) {
      expect(await status('POST', tables, token, { name: 'trojan', schema: fields, location: place })).toBe(
        403,
      )
      const move = { requirements: [], updates: [{ action: 'set-location', location: place }] }
      expect(await status('POST', orders, token, move)).toBe(403)
      const transaction = {
        'table-changes': [{ identifier: { namespace: ['shop'], name: 'orders' }, ...move }],
      }
      expect(await status('POST', '/v1/transactions/commit', token, transaction)).toBe(403)
      expect(
        await status('POST', '/v1/namespaces/shop/properties', token, { updates: { location: place } }),
      ).toBe(403)
    }
    const dataPath = {
      requirements: [],
      updates: [{ action: 'set-properties', updates: { 'write.data.path': location } }],
    }
    expect(await status('POST', orders, token, dataPath)).toBe(403)
    expect(
      await status('POST', '/v1/namespaces/shop/register', token, {
        name: 'r',
        'metadata-location': `${location}/metadata/x.metadata.json`,
      }),
    ).toBe(403)
    const inside = { name: 'fine', schema: fields, location: `${own.slice(0, own.lastIndexOf('/'))}/fine` }
    expect(await status('POST', tables, token, inside)).toBe(200)
    expect(await status('POST', '/v1/namespaces/shop%1Fnew', token)).toBe(404)
  })

  it('name no files of others, which the catalog would plan, read and purge for whoever may write one table', async () => {
    const table = async (name: string, namespace = 'shop'): Promise<string> =>
      (await fixture.catalog.loadTable({ namespace: [namespace], name })).metadata.location
    const [own, beside, hidden] = [await table('orders'), await table('secrets'), await table('orders', 'hr')]
    const identifier = { namespace: ['shop'], name: 'orders' }
    const token = await fixture.tokenFor('ada', 'write', { kind: 'table', identifier })
    const snapshot = (id: number, list: string): object => ({
      'snapshot-id': id,
      'sequence-number': id,
      'timestamp-ms': 1_700_000_000_000,
      'manifest-list': list,
      summary: { operation: 'append' },
    })
    const statistics = (path: string): object => ({
      'snapshot-id': 1,
      'statistics-path': path,
      'file-size-in-bytes': 1,
      'file-footer-size-in-bytes': 1,
      'blob-metadata': [],
    })
    const commit = async (...updates: readonly object[]): Promise<number> => {
      const change = { requirements: [], updates }
      const together = { 'table-changes': [{ identifier, ...change }] }
      const alone = await status('POST', orders, token, change)
      if (alone === 403) expect(await status('POST', '/v1/transactions/commit', token, together)).toBe(403)
      return alone
    }
    for (const folder of [beside, hidden, `${own}/../secrets`, `${own}x`]) {
      const path = `${folder}/metadata/snap-1.avro`
      expect(await commit({ action: 'add-snapshot', snapshot: snapshot(1, path) }), folder).toBe(403)
      expect(await commit({ action: 'set-statistics', statistics: statistics(path) }), folder).toBe(403)
      expect(
        await commit({ action: 'set-partition-statistics', 'partition-statistics': statistics(path) }),
      ).toBe(403)
      const move = { action: 'set-location', location: folder }
      expect(await commit(move, { action: 'add-snapshot', snapshot: snapshot(1, path) })).toBe(403)
    }
    const inside = snapshot(1, `${own}/metadata/snap-1.avro`)
    expect(await commit({ action: 'add-snapshot', snapshot: inside })).toBe(200)
    expect(
      await commit({ action: 'set-location', location: own }, { action: 'set-properties', updates: {} }),
    ).toBe(200)
    const neighbour = await fixture.tokenFor('eve', 'write', shop)
    const borrowed = { action: 'add-snapshot', snapshot: snapshot(2, `${beside}/metadata/snap-2.avro`) }
    expect(await status('POST', orders, neighbour, { requirements: [], updates: [borrowed] })).toBe(200)
  })

  it('put no view where the files of others are', async () => {
    const { location } = (await fixture.catalog.loadTable({ namespace: ['hr'], name: 'orders' })).metadata
    const token = await fixture.tokenFor('ada', 'write', shop)
    const view = {
      name: 'seen',
      schema: { type: 'struct', 'schema-id': 0, fields: [] },
      'view-version': {
        'version-id': 1,
        'schema-id': 0,
        'timestamp-ms': 1_700_000_000_000,
        summary: {},
        'default-namespace': ['shop'],
        representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'spark' }],
      },
    }
    const views = '/v1/namespaces/shop/views'
    expect(await status('POST', views, token, { ...view, location })).toBe(403)
    expect(await status('POST', views, token, view)).toBe(200)
    const move = { updates: [{ action: 'set-location', location }] }
    expect(await status('POST', `${views}/seen`, token, move)).toBe(403)
  })

  it('can be staged and committed by those who may only write', async () => {
    const token = await fixture.tokenFor('ada', 'write', shop)
    const fields = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] }
    const staged = await fixture.json('POST', '/v1/namespaces/shop/tables', token, {
      name: 'late',
      schema: fields,
      'stage-create': true,
    })
    const { location, 'table-uuid': uuid } = staged['metadata'] as Record<string, string>
    const updates = [
      { action: 'assign-uuid', uuid },
      { action: 'upgrade-format-version', 'format-version': 2 },
      { action: 'add-schema', schema: fields },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
      { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
      { action: 'set-default-sort-order', 'sort-order-id': -1 },
      { action: 'set-location', location },
    ]
    const create = { requirements: [{ type: 'assert-create' }], updates }
    expect(await status('POST', '/v1/namespaces/shop/tables/late', token, create)).toBe(200)
  })

  it('are granted only on what one manages', async () => {
    const token = await fixture.tokenFor('ada', 'manage', eu)
    const to = { kind: 'principal', name: 'bob' }
    const grants = '/management/v1/lake/grants'
    expect(await status('POST', grants, token, { to, privilege: 'read', on: eu })).toBe(204)
    for (const on of [
      shop,
      { kind: 'warehouse' },
      { kind: 'server' },
      { kind: 'table', namespace: ['hr'], name: 'orders' },
    ])
      expect(await status('POST', grants, token, { to, privilege: 'read', on })).toBe(403)
    expect(
      await status('POST', '/management/v1/other/grants', bootstrap, { to, privilege: 'read', on: eu }),
    ).toBe(404)
    expect(
      await status('POST', grants, bootstrap, {
        to,
        privilege: 'read',
        on: { kind: 'namespace', namespace: ['none'] },
      }),
    ).toBe(404)
    expect(await status('POST', grants, bootstrap, { to, privilege: 'own', on: eu })).toBe(400)
  })
})

describe('answers', () => {
  it('are for one principal alone', async () => {
    const token = await fixture.tokenFor('ada', 'read')
    for (const path of [orders, '/v1/namespaces', '/v1/config']) {
      const { headers } = await fixture.send('GET', path, token)
      expect(headers.get('vary')).toMatch(/authorization/)
      expect(headers.get('cache-control')).toMatch(/private/)
    }
  })

  it('are not replayed to somebody who may not ask, nor to somebody else', async () => {
    const key = { 'idempotency-key': '01890a5d-ac96-774b-bcce-b302099a8057' }
    const ada = await fixture.tokenFor('ada', 'write')
    const bob = await fixture.tokenFor('bob', 'write')
    const eve = await fixture.tokenFor('eve', 'read')
    const commit = (token: string): Promise<Response> => fixture.send('POST', orders, token, setProperty, key)
    expect((await commit(ada)).status).toBe(200)
    expect((await commit(ada)).status).toBe(200)
    expect((await commit(eve)).status).toBe(403)
    expect((await commit(bob)).status).toBe(400)
    await fixture.store.removeGrant('lake', { kind: 'principal', name: 'ada' }, { kind: 'warehouse' })
    expect((await commit(ada)).status).toBe(403)
  })
})

describe('read restrictions', () => {
  const restrictions = '/management/v1/lake/restrictions'
  const table = { namespace: ['shop'], name: 'orders' }
  const to = { kind: 'role', name: 'analysts' } as const

  it('come with the table, for those whom they concern', async () => {
    await fixture.grant({ to, privilege: 'read', on: shop })
    const analyst = await fixture.token({ name: 'ada', roles: ['analysts'] })
    const before = await fixture.send('GET', orders, analyst)
    expect(await before.json()).not.toHaveProperty('read-restrictions')
    const body = { to, table, 'row-filter': 'id < 100', masks: [{ column: 'email', action: 'show-last-4' }] }
    expect(await status('POST', restrictions, bootstrap, body)).toBe(204)
    const known = { 'if-none-match': before.headers.get('etag') ?? '' }
    const after = await fixture.send('GET', orders, analyst, undefined, known)
    expect(after.status).toBe(200)
    expect(await after.json()).toMatchObject({
      'read-restrictions': {
        'required-row-filter': { type: 'lt', term: 'id', value: 100 },
        'required-column-projections': [{ 'field-id': 2, action: 'show-last-4' }],
      },
    })
    expect(await fixture.json('GET', orders, bootstrap)).not.toHaveProperty('read-restrictions')
    expect(await fixture.json('GET', restrictions, bootstrap)).toMatchObject({
      restrictions: [{ to, table, masks: body.masks }],
    })
    expect(await status('GET', `${orders}/credentials`, analyst)).toBe(403)
    expect(await status('POST', `${restrictions}/remove`, bootstrap, { to, table })).toBe(204)
    expect(await fixture.json('GET', orders, analyst)).not.toHaveProperty('read-restrictions')
    expect(await status('GET', `${orders}/credentials`, analyst)).toBe(200)
  })

  it('add up, and show nothing where they disagree', async () => {
    const other = { kind: 'principal', name: 'ada' } as const
    await fixture.grant({ to, privilege: 'read', on: shop })
    const analyst = await fixture.token({ name: 'ada', roles: ['analysts'] })
    const mask = (action: string): object => ({ masks: [{ column: 'email', action }] })
    await fixture.send('POST', restrictions, bootstrap, {
      to,
      table,
      'row-filter': 'id < 100',
      ...mask('show-last-4'),
    })
    await fixture.send('POST', restrictions, bootstrap, {
      to: other,
      table,
      'row-filter': 'id > 5',
      ...mask('show-first-4'),
    })
    expect(await fixture.json('GET', orders, analyst)).toMatchObject({
      'read-restrictions': {
        'required-row-filter': { type: 'and' },
        'required-column-projections': [{ 'field-id': 2, action: 'replace-with-null' }],
      },
    })
  })

  it('are refused where they cannot hold', async () => {
    const cases = [
      {},
      { 'row-filter': 'nothing = 1' },
      { 'row-filter': 'id = ' },
      { masks: [{ column: 'nothing', action: 'replace-with-null' }] },
      { masks: [{ column: 'id', action: 'replace-with-null' }] },
      { masks: [{ column: 'id', action: 'show-last-4' }] },
      { masks: [{ column: 'email', action: 'apply-expression' }] },
    ]
    for (const rule of cases)
      expect(await status('POST', restrictions, bootstrap, { to, table, ...rule })).toBe(400)
    expect(
      await status('POST', restrictions, bootstrap, {
        to,
        table: { ...table, name: 'none' },
        'row-filter': 'id = 1',
      }),
    ).toBe(404)
  })
})

it('asks a token of nobody for a commit of nothing', async () => {
  expect(await status('POST', orders, undefined, noChange)).toBe(401)
})
