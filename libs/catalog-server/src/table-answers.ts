import type { Context } from 'hono'
import type { LoadedTable } from '@floe/catalog'
import type { TableMetadata } from '@floe/iceberg'
import { asVisible } from './access/request-access.ts'
import { StorageDelegation } from './storage-delegation.ts'
import type { DelegationSettings, TableAccess } from './storage-delegation.ts'
import { acceptedEncoding, loadTableResult, locatedTable, matchesEtag, tableEtag } from './table-body.ts'
import type { SnapshotMode, TableBodies } from './table-body.ts'

export type TableConfig = (metadata: TableMetadata) => Readonly<Record<string, string>>

/** The answers that carry a table. They are for one client: its config may hold credentials. */
export class TableAnswers {
  readonly #bodies: TableBodies
  readonly #tableConfig: TableConfig | undefined
  readonly delegation: StorageDelegation

  constructor(
    bodies: TableBodies,
    tableConfig: TableConfig | undefined,
    delegation: DelegationSettings = {},
  ) {
    this.#bodies = bodies
    this.#tableConfig = tableConfig
    this.delegation = new StorageDelegation(delegation, (table) => this.#configOf(table))
  }

  /** Spec `LoadTableResult`, or 304 when the client has it. */
  async loaded(context: Context, loaded: LoadedTable, mode: SnapshotMode): Promise<Response> {
    const table = await asVisible(context, loaded)
    const access = await this.#accessOf(context, table)
    const known = context.req.method === 'GET' ? context.req.header('if-none-match') : undefined
    if (known !== undefined) {
      const etag = tableEtag(table, access, mode)
      if (matchesEtag(known, etag)) return new Response(null, { status: 304, headers: headersOf(etag) })
    }
    // Compressed, the length of an answer that holds a secret would tell of it.
    const holdsSecret = Object.keys(access.members).length > 0
    const encoding = holdsSecret ? 'identity' : acceptedEncoding(context.req.header('accept-encoding'))
    const { etag, body, isGzip } = await this.#bodies.answer(table, access, mode, encoding)
    const headers = { ...headersOf(etag), 'content-type': 'application/json' }
    return new Response(body, { headers: isGzip ? { ...headers, 'content-encoding': 'gzip' } : headers })
  }

  async staged(context: Context, table: LoadedTable): Promise<Response> {
    return jsonResponse(loadTableResult(table, await this.#accessOf(context, table), 'all'))
  }

  /** Spec `CommitTableResponse`; the ETag is that of the load that would follow, by a client with keys of its own. */
  committed(table: LoadedTable): Response {
    const access = { config: this.#configOf(table), members: {} }
    return jsonResponse(locatedTable(table), { etag: tableEtag(table, access, 'all') })
  }

  /** Spec `UnregisterTableResult`; there is nothing left to load again. */
  unregistered(table: LoadedTable): Response {
    return jsonResponse(locatedTable(table))
  }

  async #accessOf(context: Context, table: LoadedTable): Promise<TableAccess> {
    const { config, members } = await this.delegation.accessOf(context, table)
    return { config: { ...this.#configOf(table), ...config }, members }
  }

  #configOf({ config, metadata }: LoadedTable): Readonly<Record<string, string>> {
    return { ...config, ...this.#tableConfig?.(metadata) }
  }
}

function headersOf(etag: string): Readonly<Record<string, string>> {
  return {
    etag,
    'cache-control': 'private, no-cache',
    vary: 'accept-encoding, authorization, x-iceberg-access-delegation',
  }
}

function jsonResponse(body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
}
