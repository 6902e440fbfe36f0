import type { Context } from 'hono'
import type { LoadedTable, TableIdentifier } from '@floe/catalog'
import type { JsonObject } from '@floe/iceberg'
import { accessRequested } from './access-request.ts'
import type { AccessMechanism } from './access-request.ts'
import { delegatedLocation } from './delegated-location.ts'
import { tablePath } from './path-names.ts'

/** Keys for one folder, as settings of clients: `s3.access-key-id` and the like. */
export type VendedCredentials = {
  readonly config: Readonly<Record<string, string>>
}

export type StorageGrant = {
  /** The folder; it has no slash at its end. */
  readonly location: string
  readonly access: 'read' | 'write'
  readonly deletes: boolean
  /** Who asks, for the logs of the store. */
  readonly principal?: string
}

/** Makes keys that reach one folder. */
export interface CredentialVendor {
  /** `undefined` when the location cannot be guarded: nothing is given then. */
  vend(grant: StorageGrant): Promise<VendedCredentials | undefined>
}

/** A request to the store that a client will send itself. */
export type SignableRequest = {
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body?: string
}

/** Signs requests to the store with the catalog's own keys. */
export interface RequestSigner {
  /** What a request would do to which objects and prefixes. @throws FloeError permission-denied for what is never signed */
  inspect(request: SignableRequest): {
    readonly action: 'read' | 'write' | 'delete'
    readonly locations: readonly string[]
  }
  sign(
    request: SignableRequest,
  ): Promise<{ readonly uri: string; readonly headers: Readonly<Record<string, readonly string[]>> }>
}

export type DelegationSettings = {
  readonly vendor?: CredentialVendor
  readonly signer?: RequestSigner
  /** Where clients reach the catalog, for those that sign elsewhere than they load; their own catalog uri when absent. */
  readonly signerUri?: string
  /** Whether writers may delete objects (default true); with soft deletes they must not, or nothing is left to undrop. */
  readonly deletes?: boolean
  /** Whether tables at locations that a client chose get access too (default false): nothing keeps two from one folder. */
  readonly chosenLocations?: boolean
  /** Whether the sender of a request may write to a table, beside what access control says of it. */
  readonly allowsWrite?: (context: Context, identifier: TableIdentifier) => boolean | Promise<boolean>
}

/** What a table's answer says about access to its storage: settings of clients, and members of the spec's result. */
export type TableAccess = {
  readonly config: Readonly<Record<string, string>>
  readonly members: JsonObject
}

const noAccess: TableAccess = { config: {}, members: {} }

type TableConfig = (table: LoadedTable) => Readonly<Record<string, string>>

/** Gives clients access to the files of tables, as far as the catalog is set up for it and they ask. */
export class StorageDelegation {
  readonly settings: DelegationSettings
  readonly #tableConfig: TableConfig

  /** @param tableConfig  what every client of a table is told, such as the store's endpoint */
  constructor(settings: DelegationSettings, tableConfig: TableConfig) {
    this.settings = settings
    this.#tableConfig = tableConfig
  }

  /** For the spec's `LoadTableResult`, by the header `X-Iceberg-Access-Delegation`: keys rather than signing. */
  async accessOf(context: Context, table: LoadedTable): Promise<TableAccess> {
    const asked = accessRequested(context)
    // Files hold more than whoever is restricted may see.
    if (asked.size === 0 || (await isRestricted(context, table))) return noAccess
    const access = asked.has('vended-credentials') ? await this.#accessByKeys(context, table) : undefined
    return access ?? this.#accessBySigning(context, table, asked) ?? noAccess
  }

  /** Spec `storage-credentials`: at most one, which reaches the table's folder. */
  async credentialsOf(
    context: Context,
    table: LoadedTable,
    mode: 'read' | 'widest' = 'widest',
  ): Promise<readonly JsonObject[]> {
    const vended = await this.#vend(context, table, mode)
    return vended === undefined ? [] : [{ prefix: `${vended.location}/`, config: vended.config }]
  }

  /** The folder that requests for a table may be signed for. */
  locationOf(table: LoadedTable): string | undefined {
    return delegatedLocation(table.metadata, this.settings.chosenLocations ?? false)
  }

  async allowsWrite(context: Context, identifier: TableIdentifier): Promise<boolean> {
    const access = context.get('access')
    const isAllowed = access?.may({ privilege: 'write', on: { kind: 'table', identifier } }) ?? true
    return isAllowed && ((await this.settings.allowsWrite?.(context, identifier)) ?? true)
  }

  async #accessByKeys(context: Context, table: LoadedTable): Promise<TableAccess | undefined> {
    const vended = await this.#vend(context, table, 'widest')
    if (vended === undefined) return undefined
    const { location, config } = vended
    // Older clients, and PyIceberg for a staged table, look at the config alone.
    return { config, members: { 'storage-credentials': [{ prefix: `${location}/`, config }] } }
  }

  async #vend(
    context: Context,
    table: LoadedTable,
    mode: 'read' | 'widest',
  ): Promise<(VendedCredentials & { readonly location: string }) | undefined> {
    const { vendor, deletes = true } = this.settings
    const location = vendor === undefined ? undefined : this.locationOf(table)
    if (vendor === undefined || location === undefined) return undefined
    if (await isRestricted(context, table)) return undefined
    const writes = mode === 'widest' && (await this.allowsWrite(context, table.identifier))
    const principal = context.get('principal')?.name
    const vended = await vendor.vend({
      location,
      access: writes ? 'write' : 'read',
      deletes,
      ...(principal === undefined ? {} : { principal }),
    })
    if (vended === undefined) return undefined
    // Java opens files of a scan with these settings alone, without those of the table.
    const refresh = {
      'client.refresh-credentials-endpoint': `${tablePath(context, table.identifier)}/credentials`,
    }
    return { location, config: { ...this.#tableConfig(table), ...vended.config, ...refresh } }
  }

  #accessBySigning(
    context: Context,
    table: LoadedTable,
    asked: ReadonlySet<AccessMechanism>,
  ): TableAccess | undefined {
    const { signer, signerUri } = this.settings
    if (signer === undefined || !asked.has('remote-signing') || this.locationOf(table) === undefined)
      return undefined
    const endpoint = `${tablePath(context, table.identifier)}/sign`
    const config = {
      's3.remote-signing-enabled': 'true',
      // PyIceberg, and Java up to 1.10, look at these; Java 1.11 at those without `s3.`.
      's3.signer': 'S3V4RestSigner',
      's3.signer.endpoint': endpoint,
      'signer.endpoint': endpoint,
      ...(signerUri === undefined ? {} : { 's3.signer.uri': signerUri, 'signer.uri': signerUri }),
    }
    return { config, members: { 'remote-signing-config': {} } }
  }
}

async function isRestricted(context: Context, { identifier }: LoadedTable): Promise<boolean> {
  return (await context.get('access')?.isRestricted(identifier)) ?? false
}
