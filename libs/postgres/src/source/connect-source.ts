import { Client } from 'pg'
import type { ClientConfig } from 'pg'
import { sourceError } from './source-error.ts'

/** A session of the source, pinned to settings under which values have one form. */
export type SourceConnection = Client

export type ConnectOptions = {
  /** Default 30,000. */
  readonly connectTimeoutMs?: number
  /** Default `floe`. */
  readonly applicationName?: string
  /** The raw socket, for readers that take it over. Ignored under TLS. */
  readonly stream?: NonNullable<ClientConfig['stream']>
}

const connectTimeoutMsDefault = 30_000

/**
 * Names resolve without a search path, text has one form everywhere, and nothing on the server ends a long read.
 * `row_security = off` makes the server refuse what it would filter silently.
 */
const sessionSettings: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  bytea_output: 'hex',
  extra_float_digits: '3',
  standard_conforming_strings: 'on',
  client_min_messages: 'warning',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  row_security: 'off',
  default_transaction_read_only: 'on',
}

/** Comes first and alone: it looks nothing up, while the search path of a role may put other functions and operators before PostgreSQL's. */
const pinSearchPath = `SET search_path = ''`

/** Settings that older servers lack are left out. `pg_settings` names some of them in mixed case. */
const pinSession = `
  SELECT pg_catalog.set_config(wanted.name, wanted.value, false)
  FROM unnest($1::text[], $2::text[]) AS wanted(name, value)
  WHERE EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE pg_catalog.lower(s.name) = pg_catalog.lower(wanted.name))`

/**
 * Opens a read-only session.
 * @throws unavailable, permission-denied or not-found (database), each with a hint
 */
export async function connectSource(url: string, options: ConnectOptions = {}): Promise<SourceConnection> {
  const { connectTimeoutMs = connectTimeoutMsDefault, applicationName = 'floe', stream } = options
  const client = new Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    ...(stream === undefined ? {} : { stream }),
  })
  // A session that breaks while idle reports it here; the next call on it fails with its own error.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(pinSearchPath)
    await client.query(pinSession, [Object.keys(sessionSettings), Object.values(sessionSettings)])
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw sourceError(`connecting to ${describeServer(client)}`, error)
  }
}

/** Never the URL: it holds the password. */
function describeServer({ host, port, database }: Client): string {
  return `PostgreSQL at ${host}:${port}, database ${database ?? ''}`
}
