import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Privilege } from '@floe/catalog'
import { openS3RequestSigner } from '@floe/storage/s3'
import { manualClock } from '@floe/testing'
import type { StorageGrant } from '../storage-delegation.ts'
import { bootstrap, openFixture } from './access-fixture.ts'
import type { AccessFixture } from './access-fixture.ts'

const endpoint = 'http://store.test'
const orders = '/v1/namespaces/shop/tables/orders'
const keys = { endpoint, region: 'eu-central-1', accessKeyId: 'floe', secretAccessKey: 'a secret' }
const asking = { 'x-iceberg-access-delegation': 'vended-credentials, remote-signing' }
const signer = openS3RequestSigner(keys, { clock: manualClock(0) })

let fixture: AccessFixture
let vended: StorageGrant[]

beforeEach(async () => {
  vended = []
  const vend = async (grant: StorageGrant): Promise<{ config: Record<string, string> }> => {
    vended.push(grant)
    return { config: { 's3.session-token': 'a session' } }
  }
  fixture = await openFixture({}, { vendor: { vend }, signer })
})

afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
})

async function sign(token: string, method: string): Promise<number> {
  const { metadata } = await fixture.catalog.loadTable({ namespace: ['shop'], name: 'orders' })
  const uri = `${endpoint}/${metadata.location.slice('s3://'.length)}/data/a.parquet`
  const body = { region: 'eu-central-1', method, uri, headers: {} }
  return (await fixture.send('POST', `${orders}/sign`, token, body)).status
}

it.each([
  ['read', 'read', [200, 403, 403]],
  ['write', 'write', [200, 200, 200]],
] as const)('who may %s gets keys that %s, and only such requests signed', async (name, access, signed) => {
  const token = await fixture.tokenFor(name, name satisfies Privilege)
  const load = await fixture.send('GET', orders, token, undefined, asking)
  expect(await load.json()).toHaveProperty('storage-credentials')
  await fixture.send('GET', `${orders}/credentials`, token)
  expect(vended.map((grant) => [grant.access, grant.principal])).toEqual([
    [access, name],
    [access, name],
  ])
  expect([await sign(token, 'GET'), await sign(token, 'PUT'), await sign(token, 'DELETE')]).toEqual(signed)
})

it('gives keys to read with for a plan, also to writers', async () => {
  const token = await fixture.tokenFor('ada', 'write')
  const plan = await fixture.send('POST', `${orders}/plan`, token, {}, asking)
  expect(await plan.json()).toMatchObject({ status: 'completed', 'storage-credentials': [{}] })
  expect(vended.map(({ access }) => access)).toEqual(['read'])
})

it('gives nobody who sees only parts of a table its files, or a plan that tells of them', async () => {
  const token = await fixture.tokenFor('ada', 'write')
  const planned = (await (await fixture.send('POST', `${orders}/plan`, token, {})).json()) as {
    'plan-id': string
  }
  const restriction = {
    to: { kind: 'principal', name: 'ada' },
    table: { namespace: ['shop'], name: 'orders' },
    'row-filter': 'id < 100',
  }
  await fixture.send('POST', '/management/v1/lake/restrictions', bootstrap, restriction)
  for (const mechanism of ['vended-credentials', 'remote-signing']) {
    const headers = { 'x-iceberg-access-delegation': mechanism }
    const load = await fixture.send('GET', orders, token, undefined, headers)
    const text = await load.text()
    expect(text).toContain('read-restrictions')
    expect(text).not.toMatch(/storage-credentials|session-token|signer|remote-signing/)
  }
  const statuses = [
    await sign(token, 'GET'),
    (await fixture.send('GET', `${orders}/credentials`, token)).status,
    (await fixture.send('POST', `${orders}/plan`, token, {}, asking)).status,
    (await fixture.send('GET', `${orders}/plan/${planned['plan-id']}`, token)).status,
    (await fixture.send('POST', `${orders}/tasks`, token, { 'plan-task': 'none' })).status,
  ]
  expect(statuses).toEqual([403, 403, 403, 403, 403])
  expect(vended).toEqual([])
})
