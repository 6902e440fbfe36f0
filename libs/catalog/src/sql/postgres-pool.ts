import { escapeIdentifier, Pool, types } from 'pg'
import type { ClientBase, CustomTypesConfig } from 'pg'
import { FloeError } from '@floe/iceberg'

export type PostgresSettings = {
  /** `postgres://user:password@host:port/database`; `?schema=` names the schema of the store (default `floe_catalog`). */
  readonly url: string
  /** Connections that are open at once (default 10). */
  readonly connectionsMax?: number
  /** How long to wait for a connection, and for others that hold the same rows. */
  readonly busyTimeoutMs: number
  /** How long the server may take for one statement (default 30,000); its answer may take `answerDelayMs` longer. */
  readonly statementTimeoutMs?: number
}

/** A pool whose connections see one schema; `place` names it in messages, without user and password. */
export type PostgresPool = { readonly pool: Pool; readonly schema: string; readonly place: string }

const schemaDefault = 'floe_catalog'
const connectionsMaxDefault = 10
const statementTimeoutMsDefault = 30_000
const answerDelayMs = 5_000

/** Connects to nothing yet. @throws FloeError invalid-input when the URL is none */
export function createPostgresPool(settings: PostgresSettings): PostgresPool {
  const { busyTimeoutMs, connectionsMax = connectionsMaxDefault } = settings
  const statementTimeoutMs = settings.statementTimeoutMs ?? statementTimeoutMsDefault
  const url = parseUrl(settings.url)
  const schema = url.searchParams.get('schema') ?? schemaDefault
  url.searchParams.delete('schema')
  const pool = new Pool({
    connectionString: url.href,
    application_name: 'floe-catalog',
    max: connectionsMax,
    connectionTimeoutMillis: busyTimeoutMs,
    query_timeout: statementTimeoutMs + answerDelayMs,
    keepAlive: true,
    types: resultTypes,
    onConnect: sessionSetUp(schema, busyTimeoutMs, statementTimeoutMs),
  })
  // An idle connection that dies is replaced when one is needed.
  pool.on('error', () => undefined)
  const place = `${url.hostname}:${url.port === '' ? '5432' : url.port}${url.pathname}`
  return { pool, schema, place }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^postgres(?:ql)?:$/.test(url.protocol)) return url
  // The text is not shown: it may hold a password.
  throw new FloeError('invalid-input', 'the address of the catalog database is no postgres:// URL', {
    hint: 'write postgres://user:password@host:5432/database, special characters percent-encoded',
  })
}

/** The pool waits for it. By SET, as startup options do not pass through session poolers. */
function sessionSetUp(
  schema: string,
  lockTimeoutMs: number,
  statementTimeoutMs: number,
): (client: ClientBase) => unknown {
  const sql = [
    `SET search_path = ${escapeIdentifier(schema)}`,
    `SET statement_timeout = ${statementTimeoutMs}`,
    `SET lock_timeout = ${lockTimeoutMs}`,
    `SET idle_in_transaction_session_timeout = ${statementTimeoutMs}`,
    "SET default_transaction_isolation = 'read committed'",
    // An acknowledged commit is on the disk, also where the server is set up to be faster than that.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
  ].join('; ')
  return (client) => client.query(sql)
}

const resultTypes: CustomTypesConfig = {
  getTypeParser: ((oid, format) =>
    oid === types.builtins.INT8 ? parseInt8 : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
}

function parseInt8(text: string): number | bigint {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}
