import { parseTableMetadata } from '@floe/iceberg'
import { startMinio, startRestReference } from '@floe/peers'
import { planScan } from '@floe/planner'
import { openObjectStore } from '@floe/storage'
import type { ObjectStore, StoreSettings } from '@floe/storage'

/** An S3 server and a REST catalog over it, which all that load into S3 share. */
export type RestLake = AsyncDisposable & {
  readonly uri: string
  readonly s3: LakeS3
  readonly store: ObjectStore
  /** The metadata file of a table, as the catalog says. */
  metadataLocation(namespace: string, table: string): Promise<string>
  /** Forgets the table and removes all objects. */
  clear(namespace: string, table: string): Promise<void>
}

export type LakeS3 = {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly bucket: string
}

/** MinIO and Apache's reference catalog: neither is of Floe or of one of the peers. */
export async function startRestLake(): Promise<RestLake> {
  await using started = new AsyncDisposableStack()
  const s3 = started.use(await startMinio())
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = s3
  const reference = started.use(
    await startRestReference({
      settings: {
        CATALOG_WAREHOUSE: `s3://${bucket}/reference`,
        CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
        CATALOG_S3_ENDPOINT: endpoint,
        CATALOG_S3_PATH__STYLE__ACCESS: 'true',
        CATALOG_S3_ACCESS__KEY__ID: accessKeyId,
        CATALOG_S3_SECRET__ACCESS__KEY: secretAccessKey,
        AWS_REGION: region,
      },
    }),
  )
  const settings: StoreSettings = { s3: { endpoint, region, accessKeyId, secretAccessKey } }
  const store = started.use(openObjectStore(settings))
  const { uri } = reference
  const running = started.move()
  const table = (namespace: string, name: string): string =>
    `${uri}/v1/namespaces/${namespace}/tables/${name}`
  return {
    uri,
    s3: { endpoint, region, accessKeyId, secretAccessKey, bucket },
    store,
    async metadataLocation(namespace, name) {
      const response = await fetch(table(namespace, name))
      if (!response.ok) throw new Error(`${response.url} answered ${response.status}`)
      return ((await response.json()) as { 'metadata-location': string })['metadata-location']
    },
    async clear(namespace, name) {
      await fetch(table(namespace, name), { method: 'DELETE' })
      await fetch(`${uri}/v1/namespaces/${namespace}`, { method: 'DELETE' })
      const objects = await Array.fromAsync(store.list(`s3://${bucket}/`))
      await store.delete(objects.map(({ location }) => location))
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The data files of a table's current snapshot. */
export async function dataFilesOf(store: ObjectStore, metadataLocation: string): Promise<readonly string[]> {
  const metadata = parseTableMetadata(new TextDecoder().decode(await store.get(metadataLocation)))
  const { tasks } = await planScan({ metadata }, { store })
  return tasks.map(({ dataFile }) => dataFile.filePath)
}
