import { randomUUID } from 'node:crypto'
import { startAwsServer, startReferenceCatalog } from '@floe/peers'
import type { AwsServer, ReferenceCatalog } from '@floe/peers'
import { describeCatalog, everyTrait } from '@floe/catalog/contract'
import type { CatalogSubject } from '@floe/catalog/contract'
import { openGlueCatalog } from '@floe/catalog/glue'
import { openRestCatalog } from '@floe/catalog/rest'
import { openObjectStore } from '@floe/storage'
import { openFileStore } from '@floe/storage/fs'
import { afterAll, beforeAll } from 'vitest'

/** The behaviour of every catalog, of Floe's clients against catalogs that others have written. */
let aws: AwsServer
let reference: ReferenceCatalog

beforeAll(async () => {
  aws = await startAwsServer()
  // The SDK takes keys from where a user has them.
  process.env['AWS_ACCESS_KEY_ID'] = aws.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = aws.secretAccessKey
  reference = await startReferenceCatalog()
})
afterAll(async () => {
  await reference[Symbol.asyncDispose]()
  await aws[Symbol.asyncDispose]()
})

/** Glue of a fresh account: each test has its own. */
async function openGlue(): Promise<CatalogSubject> {
  const base = `s3://${aws.bucket}/${randomUUID()}`
  const store = openObjectStore({ s3: { ...aws, pathStyle: true } })
  await fetch(`${aws.endpoint}/moto-api/reset`, { method: 'POST' })
  await fetch(`${aws.endpoint}/${aws.bucket}`, { method: 'PUT' })
  const { endpoint, region } = aws
  const clock = { now: (): number => Date.now() }
  const catalog = openGlueCatalog({ endpoint, region, warehouse: base, clock, uuid: randomUUID }, { store })
  return { catalog, store, base }
}

/** The reference catalog, emptied. */
async function openReference(): Promise<CatalogSubject> {
  const catalog = await openRestCatalog({ uri: reference.url })
  const store = openFileStore()
  const base = reference.warehouse
  for (const namespace of await catalog.listNamespaces()) {
    for (const table of await catalog.listTables(namespace)) await catalog.dropTable(table)
    await catalog.dropNamespace(namespace)
  }
  await store.delete((await Array.fromAsync(store.list(`${base}/`))).map(({ location }) => location))
  return { catalog, store, base }
}

describeCatalog('client of AWS Glue', openGlue, { ...everyTrait, nested: false, anyName: false, uniqueUuids: false })
describeCatalog('REST client of the reference catalog', openReference, {
  ...everyTrait,
  nested: false,
  anyName: true,
  uniqueFolders: false,
  uniqueUuids: false,
})
