import { randomUUID } from 'node:crypto'
import { startAwsServer, startRestReference } from '@floe/peers'
import type { AwsServer, RestReference } from '@floe/peers'
import { describeCatalog, everyTrait } from '@floe/catalog/contract'
import type { CatalogSubject, CatalogTraits } from '@floe/catalog/contract'
import { openGlueCatalog } from '@floe/catalog/glue'
import { openRestCatalog } from '@floe/catalog/rest'
import type { Catalog, Namespace } from '@floe/catalog'
import { openObjectStore } from '@floe/storage'
import { openFileStore } from '@floe/storage/fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStrictGlue } from './strict-glue.ts'
import type { StrictGlue } from './strict-glue.ts'

/** The behaviour of every catalog, of Floe's clients against catalogs that others have written. */
let aws: AwsServer
let glue: StrictGlue
let reference: RestReference
const started: AsyncDisposable[] = []

beforeAll(async () => {
  started.push((aws = await startAwsServer()))
  started.push((glue = await startStrictGlue(aws.endpoint)))
  // The SDK takes keys from where a user has them.
  process.env['AWS_ACCESS_KEY_ID'] = aws.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = aws.secretAccessKey
  started.push((reference = await startRestReference()))
})
afterAll(async () => {
  for (const part of started.toReversed()) await part[Symbol.asyncDispose]()
})

/** Glue of an account that is emptied before each test. */
async function openGlue(): Promise<CatalogSubject> {
  await fetch(`${aws.endpoint}/moto-api/reset`, { method: 'POST' })
  await fetch(`${aws.endpoint}/${aws.bucket}`, { method: 'PUT' })
  const base = `s3://${aws.bucket}/${randomUUID()}`
  const store = openObjectStore({ s3: { ...aws, pathStyle: true } })
  const clock = { now: (): number => Date.now() }
  const { region } = aws
  const settings = { endpoint: glue.endpoint, region, warehouse: base, clock, uuid: randomUUID }
  return { catalog: openGlueCatalog(settings, { store }), store, base }
}

/** The reference catalog, emptied. */
async function openReference(): Promise<CatalogSubject> {
  const catalog = await openRestCatalog({ uri: reference.uri })
  await dropAll(catalog)
  const store = openFileStore()
  const base = reference.warehouse
  await store.delete((await Array.fromAsync(store.list(`${base}/`))).map(({ location }) => location))
  return { catalog, store, base }
}

async function dropAll(catalog: Catalog, parent?: Namespace): Promise<void> {
  for (const namespace of await catalog.listNamespaces(parent)) {
    await dropAll(catalog, namespace)
    for (const table of await catalog.listTables(namespace)) await catalog.dropTable(table)
    await catalog.dropNamespace(namespace)
  }
}

const glueTraits: CatalogTraits = {
  ...everyTrait,
  nested: false,
  names: [],
  refusedNames: ['Capital', 'da-sh', 'sla/sh', 'Käse'],
  uniqueUuids: false,
}

describeCatalog('client of AWS Glue', openGlue, glueTraits)
describeCatalog('REST client of the reference catalog', openReference, {
  ...everyTrait,
  checksParents: false,
  // Its namespaces are text with dots, and its HTTP server takes no slash and no percent sign in a name.
  names: ['plus+ and space', 'Käse', '表', '😀', 'tables', 'namespaces'],
  uniqueFolders: false,
  uniqueUuids: false,
  namespaceLocations: false,
  retriesCommits: false,
  skipsEmptyCommits: false,
  cleansUp: false,
  checksRegistered: false,
})

describe('a commit to Glue whose answer is lost', () => {
  it('is found out to have happened, and is not made twice', async () => {
    const { catalog } = await openGlue()
    await catalog.createNamespace(['shop'])
    const orders = { namespace: ['shop'], name: 'orders' }
    await catalog.createTable(orders, {
      schema: { schemaId: 0, fields: [{ id: 1, name: 'id', type: { kind: 'long' }, required: true }] },
    })
    let lost = 0
    glue.loseAnswer = () => ++lost === 1
    const updates = [{ action: 'set-properties', updates: { a: '1' } }] as const
    const { metadata, metadataLocation } = await catalog.commitTable(orders, { requirements: [], updates })
    expect(lost).toBe(1)
    expect(metadata.properties).toEqual({ a: '1' })
    const now = await catalog.loadTable(orders)
    expect(now.metadataLocation).toBe(metadataLocation)
    expect(now.metadata.metadataLog).toHaveLength(1)
  })
})
