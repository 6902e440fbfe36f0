import { FloeError } from '@floe/iceberg'
import type { Catalog, LoadedTable, StorageCredential, TableIdentifier } from '@floe/catalog'
import { mergeS3Settings, serveFreshKeys } from '@floe/storage'
import type { FreshKeys, OpenObjectStore, S3Settings, StoragePlace } from '@floe/storage'

/** Table properties that lead outside of the table's location. */
const pathProperties = ['write.data.path', 'write.metadata.path', 'write.object-storage.path']

/**
 * Teaches a store what a catalog says about the storage of each table that it loads: endpoint, region, and keys, which
 * are asked for again when they end. What the settings of the store say themselves counts more.
 */
export class VendedStorage {
  readonly #store: OpenObjectStore
  readonly #own: S3Settings
  readonly #owners = new Map<string, TableIdentifier>()
  readonly #freshKeys: FreshKeys
  #catalog: Catalog | undefined

  constructor(store: OpenObjectStore, own: S3Settings = {}) {
    this.#store = store
    this.#own = own
    this.#freshKeys = serveFreshKeys((prefix) => this.#renew(prefix))
  }

  /** Where fresh keys come from. */
  attach(catalog: Catalog): void {
    this.#catalog = catalog
  }

  learn(table: LoadedTable): void {
    const credentials = table.storageCredentials ?? []
    const places = [...configPlaces(table), ...credentials].flatMap(({ prefix, config }) =>
      this.#place(prefix, { ...table.config, ...config }),
    )
    for (const { prefix } of places) this.#owners.set(prefix, table.identifier)
    this.#store.addPlaces(places)
  }

  close(): void {
    this.#freshKeys.close()
  }

  #place(prefix: string, config: Readonly<Record<string, string>>): readonly StoragePlace[] {
    const said = s3SettingsOf(config)
    if (!/^s3a?:\/\//i.test(prefix) || Object.keys(said).length === 0) return []
    const s3 = mergeS3Settings(said, this.#own)
    const isVended = said.accessKeyId !== undefined && this.#own.accessKeyId === undefined
    return [{ prefix, s3, ...(isVended ? { renewal: this.#freshKeys.name } : {}) }]
  }

  async #renew(prefix: string): Promise<S3Settings> {
    const owner = this.#owners.get(prefix)
    const credentials = owner && (await this.#catalog?.loadCredentials?.(owner))
    const fresh = longest(credentials ?? [], prefix)
    if (fresh !== undefined) return mergeS3Settings(s3SettingsOf(fresh.config), this.#own)
    throw new FloeError('permission-denied', `the catalog hands out no credentials for ${prefix} any more`, {
      hint: 'check that the token of the catalog may still read the table',
    })
  }
}

/** Spec: `storage-credentials` come first; `config` holds for the rest of the table. */
function configPlaces({ config, metadata }: LoadedTable): readonly StorageCredential[] {
  const paths = pathProperties.flatMap((name) => metadata.properties[name] ?? [])
  return [metadata.location, ...paths].map((location) => ({
    prefix: `${location.replace(/\/+$/, '')}/`,
    config,
  }))
}

function longest(credentials: readonly StorageCredential[], location: string): StorageCredential | undefined {
  return credentials
    .filter(({ prefix }) => location.startsWith(prefix) || prefix.startsWith(location))
    .toSorted((left, right) => right.prefix.length - left.prefix.length)[0]
}

/** The members of a table's config that say how its objects are reached, by the names that Iceberg gives them. */
function s3SettingsOf(config: Readonly<Record<string, string>>): S3Settings {
  const endpoint = config['s3.endpoint']
  const region = config['s3.region'] ?? config['client.region']
  const pathStyle = config['s3.path-style-access']
  const accessKeyId = config['s3.access-key-id']
  const secretAccessKey = config['s3.secret-access-key']
  const sessionToken = config['s3.session-token']
  const expireAtMs = Number(config['s3.session-token-expires-at-ms'])
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(pathStyle === undefined ? {} : { pathStyle: pathStyle === 'true' }),
    ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { accessKeyId, secretAccessKey }),
    ...(accessKeyId === undefined || sessionToken === undefined ? {} : { sessionToken }),
    ...(expireAtMs > 0 ? { keysExpireAtMs: expireAtMs } : {}),
  }
}
