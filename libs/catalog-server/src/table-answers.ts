import type { Context } from 'hono'
import type { LoadedTable } from '@floe/catalog'
import type { TableMetadata } from '@floe/iceberg'
import { asVisible } from './access/request-access.ts'
import { loadTableResult, locatedTable, matchesEtag, tableEtag } from './table-body.ts'
import type { SnapshotMode, TableBodies } from './table-body.ts'

export type TableConfig = (metadata: TableMetadata) => Readonly<Record<string, string>>

/** The answers that carry a table. They are for one client: its config may hold credentials. */
export class TableAnswers {
  readonly #bodies: TableBodies
  readonly #tableConfig: TableConfig | undefined

  constructor(bodies: TableBodies, tableConfig: TableConfig | undefined) {
    this.#bodies = bodies
    this.#tableConfig = tableConfig
  }

  /** Spec `LoadTableResult`, or 304 when the client has it. */
  async loaded(context: Context, loaded: LoadedTable, mode: SnapshotMode): Promise<Response> {
    const table = await asVisible(context, loaded)
    const { etag, body } = this.#bodies.answer(table, this.#configOf(table), mode)
    const headers = {
      etag,
      'cache-control': 'private, no-cache',
      vary: 'authorization, x-iceberg-access-delegation',
    }
    const isKnown = context.req.method === 'GET' && matchesEtag(context.req.header('if-none-match'), etag)
    if (isKnown) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
  }

  staged(table: LoadedTable): Response {
    return jsonResponse(loadTableResult(table, this.#configOf(table), 'all'))
  }

  /** Spec `CommitTableResponse`; the ETag is that of the load that would follow. */
  committed(table: LoadedTable): Response {
    return jsonResponse(locatedTable(table), { etag: tableEtag(table, this.#configOf(table), 'all') })
  }

  /** Spec `UnregisterTableResult`; there is nothing left to load again. */
  unregistered(table: LoadedTable): Response {
    return jsonResponse(locatedTable(table))
  }

  #configOf({ config, metadata }: LoadedTable): Readonly<Record<string, string>> {
    return { ...config, ...this.#tableConfig?.(metadata) }
  }
}

function jsonResponse(body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } })
}
