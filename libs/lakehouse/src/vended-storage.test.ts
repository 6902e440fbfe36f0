import { afterEach, describe, expect, it } from 'vitest'
import type { Catalog, LoadedTable, StorageCredential } from '@floe/catalog'
import { newTableMetadata } from '@floe/iceberg'
import { openObjectStore } from '@floe/storage'
import type { OpenObjectStore, S3Settings } from '@floe/storage'
import { VendedStorage } from './vended-storage.ts'

const identifier = { namespace: ['shop'], name: 'orders' }
const keys = (id: string): Record<string, string> => ({
  's3.access-key-id': id,
  's3.secret-access-key': 'secret',
  's3.session-token': 'session',
  's3.session-token-expires-at-ms': '1700000000000',
})

let vended: VendedStorage | undefined
let store: OpenObjectStore | undefined

afterEach(async () => {
  vended?.close()
  await store?.close()
})

function learned(
  config: Readonly<Record<string, string>>,
  storageCredentials: readonly StorageCredential[] = [],
  own: S3Settings = {},
): ReturnType<OpenObjectStore['currentSettings']>['places'] {
  store = openObjectStore({ s3: own })
  vended = new VendedStorage(store, own)
  const metadata = newTableMetadata({
    schema: { schemaId: 0, fields: [] },
    location: 's3://lake/orders',
    uuid: '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11',
    nowMs: 1,
    properties: { 'write.data.path': 's3://elsewhere/data' },
  })
  const table: LoadedTable = { identifier, metadata, metadataLocation: undefined, config, storageCredentials }
  vended.learn(table)
  return store.currentSettings().places
}

describe('what a store learns from a table', () => {
  it('is the config for the places of the table, and each credential for its prefix', () => {
    const config = {
      's3.endpoint': 'http://minio',
      's3.path-style-access': 'true',
      'client.region': 'eu-west-1',
    }
    const common = { endpoint: 'http://minio', pathStyle: true, region: 'eu-west-1' }
    const places = learned(config, [{ prefix: 's3://lake/orders/data', config: keys('vended') }])
    expect(places).toEqual([
      { prefix: 's3://lake/orders/', s3: common },
      { prefix: 's3://elsewhere/data/', s3: common },
      {
        prefix: 's3://lake/orders/data',
        s3: {
          ...common,
          accessKeyId: 'vended',
          secretAccessKey: 'secret',
          sessionToken: 'session',
          keysExpireAtMs: 1_700_000_000_000,
        },
        renewal: expect.any(String),
      },
    ])
  })

  it('is nothing when the catalog says nothing about S3', () => {
    expect(
      learned({ owner: 'ann' }, [{ prefix: 'gs://lake/', config: { 'gcs.oauth2.token': 't' } }]),
    ).toEqual([])
  })

  it('counts less than what the settings say, keys together', () => {
    const own = { accessKeyId: 'mine', secretAccessKey: 'too', endpoint: 'http://here' }
    const places = learned({ 's3.endpoint': 'http://there', ...keys('vended') }, [], own)
    expect(places?.[0]?.s3).toMatchObject({
      accessKeyId: 'mine',
      secretAccessKey: 'too',
      endpoint: 'http://here',
    })
    expect(places?.[0]?.s3.sessionToken).toBeUndefined()
    expect(places?.[0]?.renewal).toBeUndefined()
  })

  it('is asked for again at the catalog of the table when keys end', async () => {
    learned({ 's3.endpoint': 'http://127.0.0.1:1' }, [{ prefix: 's3://lake/orders/', config: keys('old') }])
    const asked: unknown[] = []
    const loadCredentials: Catalog['loadCredentials'] = async (table) => {
      asked.push(table)
      return []
    }
    vended?.attach({ loadCredentials } as Catalog)
    await expect(store?.get('s3://lake/orders/x')).rejects.toMatchObject({
      code: 'permission-denied',
      message: 'the catalog hands out no credentials for s3://lake/orders/ any more',
    })
    expect(asked).toEqual([identifier])
  })
})
