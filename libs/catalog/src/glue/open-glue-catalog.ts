import { GlueClient } from '@aws-sdk/client-glue'
import type { ObjectStore } from '@floe/storage'
import type { Catalog } from '../catalog.ts'
import { MetadataFiles, tableFormat } from '../metadata-files.ts'
import { GlueCatalog } from './glue-catalog.ts'
import { GlueStore } from './glue-store.ts'

export type GlueCatalogSettings = {
  /** Account whose Data Catalog it is; that of the credentials when absent. */
  readonly catalogId?: string
  /** Region and endpoint of the AWS SDK (environment, profile) when absent. */
  readonly region?: string
  readonly endpoint?: string
  /** Location under which tables go that name none, unless their database has a location. */
  readonly warehouse: string
  /** Commits of others that one commit may lose to before it gives up (default 20). */
  readonly commitAttemptsMax?: number
  /** Parsed metadata files that are kept in memory (default 256). */
  readonly metadataCacheEntriesMax?: number
  /** How long one request may take (default 60,000). */
  readonly requestTimeoutMs?: number
  readonly clock: { now(): number }
  /** A random uuid in its text form, another one at each call. */
  readonly uuid: () => string
}

const commitAttemptsMaxDefault = 20
const metadataCacheEntriesMaxDefault = 256
const requestTimeoutMsDefault = 60_000
const connectTimeoutMs = 5_000
/** Sends of one request, the first one included; the SDK waits longer before each. */
const attemptsMax = 5

/**
 * AWS Glue's Data Catalog: databases are namespaces of one level, tables are written as Java's and PyIceberg's Glue
 * catalogs write them. Views and transactions over several tables are `unsupported`.
 */
export function openGlueCatalog(
  settings: GlueCatalogSettings,
  { store }: { readonly store: ObjectStore },
): Catalog {
  const { region, endpoint, catalogId, warehouse, clock, uuid } = settings
  const requestTimeout = settings.requestTimeoutMs ?? requestTimeoutMsDefault
  const client = new GlueClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: attemptsMax,
    requestHandler: { connectionTimeout: connectTimeoutMs, requestTimeout, throwOnRequestTimeout: true },
  })
  return new GlueCatalog({
    rows: new GlueStore(client, catalogId),
    tables: new MetadataFiles(
      store,
      tableFormat,
      settings.metadataCacheEntriesMax ?? metadataCacheEntriesMaxDefault,
    ),
    store,
    warehouse,
    clock,
    uuid,
    commitAttemptsMax: settings.commitAttemptsMax ?? commitAttemptsMaxDefault,
  })
}
