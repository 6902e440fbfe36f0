import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openS3RequestSigner } from '@floe/storage/s3'
import { manualClock } from '@floe/testing'
import { bootstrap, openFixture } from './access-fixture.ts'
import type { AccessFixture } from './access-fixture.ts'
import { findRule } from './route-rules.ts'

const levels = ['see', 'read', 'write', 'manage', 'admin'] as const
type Level = (typeof levels)[number]

const metadata = 'memory://elsewhere/v1.metadata.json'
const version = {
  'version-id': 1,
  'schema-id': 0,
  'timestamp-ms': 1,
  summary: {},
  representations: [],
  'default-namespace': [],
}
const keys = { endpoint: 'http://store.test', accessKeyId: 'floe', secretAccessKey: 'a secret' }
const struct = { type: 'struct', fields: [] }
const rename = {
  source: { namespace: ['shop'], name: 'none' },
  destination: { namespace: ['shop'], name: 'other' },
}
const commit = { requirements: [], updates: [] }
const grantee = { kind: 'role', name: 'nobody' }
const restriction = { to: grantee, table: { namespace: ['shop'], name: 'none' } }

/** Every route that is served, with the lowest privilege on the warehouse that it takes, and a request for it. */
const expected: Readonly<Record<string, readonly [Level | 'public', string, unknown?]>> = {
  'GET /v1/config': ['see', '/v1/config'],
  'POST /v1/oauth/tokens': ['public', '/v1/oauth/tokens', 'grant_type=none'],
  'GET /v1/namespaces': ['see', '/v1/namespaces'],
  'POST /v1/namespaces': ['write', '/v1/namespaces', { namespace: ['shop'] }],
  'GET /v1/namespaces/:namespace': ['see', '/v1/namespaces/shop'],
  'DELETE /v1/namespaces/:namespace': ['manage', '/v1/namespaces/none'],
  'POST /v1/namespaces/:namespace/properties': ['write', '/v1/namespaces/shop/properties', {}],
  'GET /v1/namespaces/:namespace/tables': ['see', '/v1/namespaces/shop/tables'],
  'POST /v1/namespaces/:namespace/tables': [
    'write',
    '/v1/namespaces/shop/tables',
    { name: 'orders', schema: struct },
  ],
  'GET /v1/namespaces/:namespace/tables/:table': ['read', '/v1/namespaces/shop/tables/orders'],
  'POST /v1/namespaces/:namespace/tables/:table': ['write', '/v1/namespaces/shop/tables/orders', commit],
  'DELETE /v1/namespaces/:namespace/tables/:table': ['manage', '/v1/namespaces/shop/tables/none'],
  'POST /v1/namespaces/:namespace/tables/:table/unregister': [
    'manage',
    '/v1/namespaces/shop/tables/none/unregister',
    {},
  ],
  'GET /v1/namespaces/:namespace/tables/:table/credentials': [
    'read',
    '/v1/namespaces/shop/tables/orders/credentials',
  ],
  'POST /v1/namespaces/:namespace/tables/:table/sign': [
    'read',
    '/v1/namespaces/shop/tables/none/sign',
    { region: 'x', method: 'GET', uri: 'http://store.test/lake/a', headers: {} },
  ],
  'POST /v1/namespaces/:namespace/tables/:table/plan': ['read', '/v1/namespaces/shop/tables/orders/plan', {}],
  'GET /v1/namespaces/:namespace/tables/:table/plan/:plan-id': [
    'read',
    '/v1/namespaces/shop/tables/orders/plan/none',
  ],
  'DELETE /v1/namespaces/:namespace/tables/:table/plan/:plan-id': [
    'read',
    '/v1/namespaces/shop/tables/orders/plan/none',
  ],
  'POST /v1/namespaces/:namespace/tables/:table/tasks': [
    'read',
    '/v1/namespaces/shop/tables/orders/tasks',
    { 'plan-task': 'none' },
  ],
  'POST /v1/namespaces/:namespace/tables/:table/metrics': [
    'read',
    '/v1/namespaces/shop/tables/orders/metrics',
    { 'report-type': 'x' },
  ],
  'GET /v1/namespaces/:namespace/tables/:table/metrics': [
    'manage',
    '/v1/namespaces/shop/tables/orders/metrics',
  ],
  'POST /v1/namespaces/:namespace/register': [
    'manage',
    '/v1/namespaces/shop/register',
    { name: 'r', 'metadata-location': metadata },
  ],
  'POST /v1/tables/rename': ['manage', '/v1/tables/rename', rename],
  'GET /v1/namespaces/:namespace/views': ['see', '/v1/namespaces/shop/views'],
  'POST /v1/namespaces/:namespace/views': [
    'write',
    '/v1/namespaces/shop/views',
    { name: 'orders', schema: struct, 'view-version': version },
  ],
  'GET /v1/namespaces/:namespace/views/:view': ['read', '/v1/namespaces/shop/views/none'],
  'POST /v1/namespaces/:namespace/views/:view': ['write', '/v1/namespaces/shop/views/none', commit],
  'DELETE /v1/namespaces/:namespace/views/:view': ['manage', '/v1/namespaces/shop/views/none'],
  'POST /v1/namespaces/:namespace/register-view': [
    'manage',
    '/v1/namespaces/shop/register-view',
    { name: 'r', 'metadata-location': metadata },
  ],
  'POST /v1/views/rename': ['manage', '/v1/views/rename', rename],
  'POST /v1/transactions/commit': [
    'write',
    '/v1/transactions/commit',
    { 'table-changes': [{ identifier: { namespace: ['shop'], name: 'orders' }, ...commit }] },
  ],
  'GET /v1/namespaces/:namespace/functions': ['see', '/v1/namespaces/shop/functions'],
  'GET /v1/namespaces/:namespace/functions/:function': ['see', '/v1/namespaces/shop/functions/none'],
  'GET /management/v1/tokens': ['admin', '/management/v1/tokens'],
  'POST /management/v1/tokens': ['admin', '/management/v1/tokens', { principal: 'somebody' }],
  'DELETE /management/v1/tokens/:id': ['admin', '/management/v1/tokens/none'],
  'GET /management/v1/:warehouse/grants': ['manage', '/management/v1/lake/grants'],
  'POST /management/v1/:warehouse/grants': [
    'manage',
    '/management/v1/lake/grants',
    { to: grantee, privilege: 'read', on: { kind: 'warehouse' } },
  ],
  'POST /management/v1/:warehouse/grants/remove': [
    'manage',
    '/management/v1/lake/grants/remove',
    { to: grantee, on: { kind: 'namespace', namespace: ['none'] } },
  ],
  'GET /management/v1/:warehouse/restrictions': ['manage', '/management/v1/lake/restrictions'],
  'POST /management/v1/:warehouse/restrictions': ['manage', '/management/v1/lake/restrictions', restriction],
  'POST /management/v1/:warehouse/restrictions/remove': [
    'manage',
    '/management/v1/lake/restrictions/remove',
    restriction,
  ],
  'GET /management/v1/:warehouse/dropped': ['manage', '/management/v1/lake/dropped'],
  'POST /management/v1/:warehouse/dropped/undrop': [
    'manage',
    '/management/v1/lake/dropped/undrop',
    { uuid: 'none', as: { namespace: ['shop'], name: 'back' } },
  ],
  'POST /management/v1/:warehouse/dropped/expire': ['manage', '/management/v1/lake/dropped/expire', {}],
  'GET /management/v1/:warehouse/protection': [
    'read',
    '/management/v1/lake/protection?kind=table&namespace=shop&name=orders',
  ],
  'POST /management/v1/:warehouse/protection': [
    'manage',
    '/management/v1/lake/protection',
    { on: { kind: 'table', namespace: ['shop'], name: 'none' }, protected: true },
  ],
  'GET /management/v1/:warehouse/audit': ['manage', '/management/v1/lake/audit'],
  'GET /management/v1/:warehouse/events': ['manage', '/management/v1/lake/events?after=0'],
}

let fixture: AccessFixture
const tokens = new Map<Level | 'none', string>()

beforeAll(async () => {
  fixture = await openFixture({}, { signer: openS3RequestSigner(keys, { clock: manualClock(0) }) })
  tokens.set('none', await fixture.tokenFor('nobody'))
  // A grant on a table shows the way to it, and nothing else.
  const table = { namespace: ['shop'], name: 'secrets' }
  tokens.set('see', await fixture.tokenFor('guest', 'manage', { kind: 'table', identifier: table }))
  for (const level of ['read', 'write', 'manage'] as const)
    tokens.set(level, await fixture.tokenFor(level, level))
  tokens.set('admin', await fixture.tokenFor('admin', 'manage', { kind: 'server' }))
})

afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
})

function served(): readonly string[] {
  const handlers = fixture.routes.routes.filter(({ method, path }) => method !== 'ALL' || !path.endsWith('*'))
  return [...new Set(handlers.map(({ method, path }) => `${method} ${path}`))]
}

it('has a rule for every route that is served', () => {
  for (const route of served()) {
    const [method = '', path = ''] = route.split(' ')
    expect(findRule(method, path), route).toBeDefined()
  }
  expect(served().toSorted()).toEqual(Object.keys(expected).toSorted())
})

it('has one rule for a route of any warehouse, and none for what is not in the table', () => {
  for (const prefix of ['', '/lake', '/:prefix'])
    expect(findRule('POST', `/v1${prefix}/namespaces/:ns/tables/:t`)?.[0]).toBe(
      'POST /namespaces/:namespace/tables/:table',
    )
  expect(findRule('POST', '/v1/lake/transactions/commit')?.[0]).toBe('POST /transactions/commit')
  expect(findRule('GET', '/v1/config')?.[0]).toBe('GET /v1/config')
  expect(findRule('PUT', '/v1/namespaces/:namespace')).toBeUndefined()
  expect(findRule('GET', '/v1/secrets')).toBeUndefined()
})

describe.each(Object.entries(expected))('%s', (route, [needed, path, body]) => {
  const method = route.split(' ')[0] ?? ''

  it('asks strangers for a token', async () => {
    const response = await fixture.send(method, path, undefined, body)
    expect(response.status === 401).toBe(needed !== 'public')
    if (needed === 'public') return
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="floe"')
    expect(await response.json()).toMatchObject({ error: { type: 'NotAuthorizedException', code: 401 } })
    expect((await fixture.send(method, path, 'floe_0123456789abcdef_wrong', body)).status).toBe(401)
  })

  it.each(['none', ...levels] as const)('with the privilege %s', async (level) => {
    const response = await fixture.send(method, path, tokens.get(level), body)
    const isEnough =
      needed === 'public' || (level !== 'none' && levels.indexOf(level) >= levels.indexOf(needed))
    // Public routes answer as they please.
    if (needed === 'public') return expect(response.status).toBe(400)
    if (isEnough) return expect([401, 403]).not.toContain(response.status)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { type: 'ForbiddenException', code: 403 } })
  })
})

it('refuses a route that nobody made a rule for, even to those who may do everything', async () => {
  await using own = await openFixture()
  own.routes.get('/v1/namespaces/:namespace/forgotten', (context) => context.text('secret'))
  const response = await own.send('GET', '/v1/namespaces/shop/forgotten', bootstrap)
  expect(response.status).toBe(403)
  expect(await response.text()).toContain('no access rule')
})

it('asks what changes files for a write', async () => {
  const path = '/v1/namespaces/shop/tables/none/sign'
  const sign = async (method: string, level: Level): Promise<number> => {
    const body = { region: 'x', method, uri: 'http://store.test/lake/a', headers: {} }
    return (await fixture.send('POST', path, tokens.get(level), body)).status
  }
  for (const method of ['PUT', 'POST', 'DELETE', 'OPTIONS'])
    expect([await sign(method, 'read'), await sign(method, 'write')], method).toEqual([403, 404])
  expect([await sign('HEAD', 'see'), await sign('HEAD', 'read')]).toEqual([403, 404])
})

it('answers HEAD by the rule of GET', async () => {
  expect((await fixture.send('HEAD', '/v1/namespaces/shop/tables/orders', bootstrap)).status).toBe(204)
  expect((await fixture.send('HEAD', '/v1/namespaces/shop/tables/orders')).status).toBe(401)
  const stranger = await fixture.tokenFor('stranger')
  expect((await fixture.send('HEAD', '/v1/namespaces/shop/tables/orders', stranger)).status).toBe(403)
})
