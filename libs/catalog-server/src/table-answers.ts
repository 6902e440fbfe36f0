import type { Context } from 'hono'
import type { LoadedTable } from '@floe/catalog'
import type { TableMetadata } from '@floe/iceberg'
import { asVisible } from './access/request-access.ts'
import { StorageDelegation } from './storage-delegation.ts'
import type { DelegationSettings, TableAccess } from './storage-delegation.ts'
import { loadTableResult, locatedTable, matchesEtag, tableEtag } from './table-body.ts'
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
    const { etag, body } = this.#bodies.answer(table, await this.#accessOf(context, table), mode)
    const headers = {
      etag,
      'cache-control': 'private, no-cache',
      vary: 'authorization, x-iceberg-access-delegation',
    }
    const isKnown = context.req.method === 'GET' && matchesEtag(context.req.header('if-none-match'), etag)
    if (isKnown) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
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

function jsonResponse(body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
}
