import { randomUUID } from 'node:crypto'
import { startNessie, startS3Server } from '@floe/peers'
import { openObjectStore } from '@floe/storage'
import type { CatalogTarget } from './catalog-target.ts'

/** Changes of one commit. */
const batch = 1000

/** Nessie takes object stores alone: its warehouse is a bucket. */
export async function startNessieTarget(name: string): Promise<CatalogTarget> {
  await using open = new AsyncDisposableStack()
  const s3 = open.use(await startS3Server())
  const nessie = open.use(await startNessie(s3))
  const store = openObjectStore({
    s3: {
      endpoint: s3.endpoint,
      region: s3.region,
      accessKeyId: s3.accessKeyId,
      secretAccessKey: s3.secretAccessKey,
    },
  })
  open.defer(() => store.close())
  const config = (await (await fetch(`${nessie.uri}/v1/config`)).json()) as NessieConfig
  const prefix = config.overrides?.['prefix'] ?? config.defaults?.['prefix'] ?? ''
  const opened = open.move()
  return {
    name,
    version: nessie.version,
    pid: nessie.pid,
    base: `${nessie.uri}/v1/${encodeURIComponent(decodeURIComponent(prefix))}`,
    tables: `s3://${s3.bucket}/nessie/bench`,
    writeMetadata: (location, text) => store.put(location, new TextEncoder().encode(text)),
    fillNamespace: (namespace, tables) => fill(nessie.nativeUri, namespace, tables),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

type NessieConfig = {
  readonly overrides?: Readonly<Record<string, string>>
  readonly defaults?: Readonly<Record<string, string>>
}

type NessieBranch = { readonly reference: { readonly hash: string } }

/** By Nessie's own API, which takes many tables in one commit. */
async function fill(nativeUri: string, namespace: string, tables: number): Promise<void> {
  for (let first = 0; first < tables; first += batch) {
    const operations = Array.from({ length: Math.min(batch, tables - first) }, (_, at) => ({
      type: 'PUT',
      key: { elements: [namespace, `table_${first + at}`] },
      content: {
        type: 'ICEBERG_TABLE',
        id: null,
        metadataLocation: `s3://nowhere/${randomUUID()}`,
        snapshotId: -1,
        schemaId: 0,
        specId: 0,
        sortOrderId: 0,
      },
    }))
    const { reference } = (await (await fetch(`${nativeUri}/trees/main`)).json()) as NessieBranch
    const response = await fetch(`${nativeUri}/trees/main@${reference.hash}/history/commit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ commitMeta: { message: 'fill' }, operations }),
    })
    if (!response.ok) throw new Error(`Nessie answered ${response.status}: ${await response.text()}`)
  }
}
