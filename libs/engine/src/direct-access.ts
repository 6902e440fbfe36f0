import { access } from 'node:fs/promises'
import { join } from 'node:path'

import { FloeError } from '@floe/iceberg'
import { findPlace, schemeOf } from '@floe/storage'
import type { S3Settings, StoreSettings } from '@floe/storage'

import { openSession, runAll } from './duckdb-session.ts'
import { quoteText } from './sql-text.ts'

/** Files in S3 that a session of DuckDB reads itself, and what it is told before it is locked. */
export type DirectFiles = {
  /** The URL of each file by its location. */
  readonly urls: ReadonlyMap<string, string>
  /** They load httpfs and hold keys: run them with `prepareDirectFiles`. */
  readonly statements: readonly string[]
}

export type DirectSettings = {
  /** The file `httpfs.duckdb_extension`, a folder that has it, or one laid out as DuckDB's `extension_directory`. */
  readonly extensions: string | undefined
  /** How the files are reached; none are read directly when absent. */
  readonly storeSettings: (() => StoreSettings) | undefined
}

const noFiles: DirectFiles = { urls: new Map(), statements: [] }

/** Characters of keys that DuckDB takes for a pattern, or for parameters of the request. */
const notLiteral = /[*?[\]{}]/

const probeLimits = { memoryMaxMb: 64, threads: 1 }

/** Decides which files httpfs reads. Everything else goes through the cache. */
export class DirectAccess {
  readonly #settings: DirectSettings
  #loading: Promise<readonly string[] | undefined> | undefined

  constructor(settings: DirectSettings) {
    this.#settings = settings
  }

  /** Those of the files whose keys are known and hold until a time; none when httpfs does not load. */
  async filesOf(locations: readonly string[], untilMs: number): Promise<DirectFiles> {
    const { extensions, storeSettings } = this.#settings
    const remote = locations.filter((location) => schemeOf(location) === 's3' && !notLiteral.test(location))
    if (extensions === undefined || storeSettings === undefined || remote.length === 0) return noFiles
    const groups = groupByPlace(remote, storeSettings(), untilMs)
    if (groups.length === 0) return noFiles
    this.#loading ??= loadStatements(extensions)
    const load = await this.#loading
    if (load === undefined) return noFiles
    return {
      urls: new Map(groups.flatMap(({ urls }) => [...urls])),
      statements: [...load, ...groups.map(secretSql)],
    }
  }
}

/** @throws FloeError internal, without what DuckDB says: it quotes the statement, which holds keys */
export async function prepareDirectFiles(
  connection: Parameters<typeof runAll>[0],
  { statements }: DirectFiles,
): Promise<void> {
  try {
    await runAll(connection, statements)
  } catch {
    throw new FloeError('internal', 'DuckDB did not take the settings of S3 for httpfs', {
      hint: 'leave out duckdbExtensions: files are then read through the cache',
    })
  }
}

type PlaceFiles = { readonly s3: S3Settings; readonly urls: ReadonlyMap<string, string> }

function groupByPlace(
  locations: readonly string[],
  { s3 = {}, places = [] }: StoreSettings,
  untilMs: number,
): readonly PlaceFiles[] {
  const byPlace = Map.groupBy(locations, (location) => findPlace(places, location))
  return [...byPlace].flatMap(([place, own]) => {
    const settings = place?.s3 ?? s3
    if (!holdsUntil(settings, untilMs, place?.renewal !== undefined)) return []
    // DuckDB knows `s3a` too, but a lock compares URLs by their characters.
    const urls = new Map(own.map((location) => [location, location.replace(/^s3a?:/i, 's3:')]))
    return [{ s3: settings, urls }]
  })
}

/** Keys that are renewed are renewed by the store; DuckDB would go on with those that it was given. */
function holdsUntil(
  { endpoint, accessKeyId, secretAccessKey, keysExpireAtMs }: S3Settings,
  untilMs: number,
  isRenewed: boolean,
): boolean {
  if (accessKeyId === undefined || secretAccessKey === undefined) return false
  if (keysExpireAtMs === undefined ? isRenewed : keysExpireAtMs < untilMs) return false
  return endpoint === undefined || (URL.canParse(endpoint) && new URL(endpoint).pathname === '/')
}

/** A secret for the folder that the files have in common: of two that fit, DuckDB takes the longer scope, as a store does. */
function secretSql({ s3, urls }: PlaceFiles, at: number): string {
  const { endpoint, pathStyle = endpoint !== undefined, region = 'us-east-1' } = s3
  const { host, protocol } = endpoint === undefined ? { protocol: 'https:' } : new URL(endpoint)
  const options = {
    KEY_ID: s3.accessKeyId,
    SECRET: s3.secretAccessKey,
    SESSION_TOKEN: s3.sessionToken,
    REGION: region,
    ENDPOINT: host,
    URL_STYLE: pathStyle ? 'path' : 'vhost',
    USE_SSL: String(protocol === 'https:'),
    SCOPE: commonFolder([...urls.values()]),
  }
  const said = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${quoteText(value)}`],
  )
  return `CREATE TEMPORARY SECRET floe_${at} (TYPE s3, PROVIDER config, ${said.join(', ')})`
}

function commonFolder(urls: readonly string[]): string {
  let [common = ''] = urls
  for (const url of urls) while (!url.startsWith(common)) common = common.slice(0, -1)
  return common.slice(0, common.lastIndexOf('/') + 1)
}

/** What loads httpfs; `undefined` when it does not load: it may be of another version of DuckDB. */
async function loadStatements(extensions: string): Promise<readonly string[] | undefined> {
  const statements = await statementsFor(extensions)
  const probe = await openSession(probeLimits)
  try {
    await runAll(probe.connection, statements)
    return statements
  } catch {
    return undefined
  } finally {
    probe.close()
  }
}

async function statementsFor(extensions: string): Promise<readonly string[]> {
  const fileName = 'httpfs.duckdb_extension'
  if (extensions.endsWith('.duckdb_extension')) return [`LOAD ${quoteText(extensions)}`]
  const inside = join(extensions, fileName)
  const isInside = await access(inside).then(
    () => true,
    () => false,
  )
  if (isInside) return [`LOAD ${quoteText(inside)}`]
  return [`SET extension_directory = ${quoteText(extensions)}`, 'LOAD httpfs']
}
