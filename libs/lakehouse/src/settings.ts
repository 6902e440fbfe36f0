import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { isWarehouseName } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import type { ReadMethod, TableTypePolicies } from '@floe/etl'
import type { StoreSettings } from '@floe/storage'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { localPath } from './local-path.ts'
import { parseMemory } from './memory-size.ts'
import { parseQueryLog, parseQuerySettings } from './query-settings.ts'
import type { QuerySettings } from './query-settings.ts'
import { parseRemoteCatalog } from './remote-catalog-settings.ts'
import type { RemoteCatalogSettings } from './remote-catalog-settings.ts'
import { parseFlag, parseServeSettings } from './serve-settings.ts'
import type { ServeSettings } from './serve-settings.ts'
import { parseAccess } from './access-settings.ts'
import type { AccessSettings } from './access-settings.ts'
import { delegationNames, parseDelegation } from './delegation-settings.ts'
import type { S3Delegation } from './delegation-settings.ts'
import { parseDropRetention } from './drop-settings.ts'
import { typePolicies } from './type-policies.ts'
import { parseWarehouses, warehouseLocations } from './warehouse-settings.ts'
import type { Warehouse } from './warehouse-settings.ts'

export type ProviderSettings =
  | { readonly kind: 'rules' }
  | {
      readonly kind: 'openai-compatible'
      readonly baseUrl: string
      readonly model: string
      readonly apiKey?: string
    }

export type LakehouseSettings = {
  readonly catalog:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'postgres'; readonly url: string }
    | RemoteCatalogSettings
  /** Location of the first of `warehouses`, under which tables are made: `file:///...` or `s3://bucket/prefix`. */
  readonly warehouse: string
  /** Those of the catalog; the first is the one that commands use, and clients that name none. */
  readonly warehouses: readonly [Warehouse, ...Warehouse[]]
  readonly store: StoreSettings
  readonly s3Delegation: S3Delegation
  /** How long a catalog that is kept here can bring back what was dropped; 0 when it is gone at once. */
  readonly dropRetentionMs: number
  /** What clients of the catalog are told about who plans their scans; they choose when absent. */
  readonly scanPlanningMode?: 'client' | 'server'
  /** Immutable remote files are kept here while queries need them. */
  readonly cacheDirectory: string
  readonly query: QuerySettings
  /** File that queries from outside are logged in; they are not when absent. */
  readonly queryLog?: string
  readonly workers: number
  /** What the workers of a load may hold of rows and uploads together. */
  readonly memoryBytes?: number
  readonly sourceUrl?: string
  readonly provider: ProviderSettings
  /** Whether servers ask who their clients are. */
  readonly access: AccessSettings
  /** How a load reads rows: COPY BINARY, or a cursor behind poolers that refuse COPY. */
  readonly readMethod: ReadMethod
  readonly typePolicies?: TableTypePolicies
  /** Limits and log of `floe serve`. */
  readonly serve: ServeSettings
  /** Where the tables' files and the settings came from, for messages. */
  readonly directory: string
}

/** Flags of the command line, by the names of the settings; what is `undefined` was not given. */
export type SettingFlags = { readonly [name in SettingName]?: string | undefined }

const ownNames = {
  catalog: 'FLOE_CATALOG',
  warehouse: 'FLOE_WAREHOUSE',
  token: 'FLOE_TOKEN',
  catalogAuth: 'FLOE_CATALOG_AUTH',
  catalogCredential: 'FLOE_CATALOG_CREDENTIAL',
  catalogScope: 'FLOE_CATALOG_SCOPE',
  catalogOauth2Uri: 'FLOE_CATALOG_OAUTH2_URI',
  catalogSigningName: 'FLOE_CATALOG_SIGNING_NAME',
  catalogSigningRegion: 'FLOE_CATALOG_SIGNING_REGION',
  catalogWarehouse: 'FLOE_CATALOG_WAREHOUSE',
  catalogPrefix: 'FLOE_CATALOG_PREFIX',
  catalogVendedCredentials: 'FLOE_CATALOG_VENDED_CREDENTIALS',
  cacheDirectory: 'FLOE_CACHE_DIRECTORY',
  cacheSize: 'FLOE_CACHE_SIZE',
  duckdbExtensions: 'FLOE_DUCKDB_EXTENSIONS',
  sqlMemory: 'FLOE_SQL_MEMORY',
  sqlTimeoutSeconds: 'FLOE_SQL_TIMEOUT_SECONDS',
  sqlResultSize: 'FLOE_SQL_RESULT_SIZE',
  queryLog: 'FLOE_QUERY_LOG',
  workers: 'FLOE_WORKERS',
  memory: 'FLOE_MEMORY',
  sourceUrl: 'FLOE_SOURCE_URL',
  readMethod: 'FLOE_READ_METHOD',
  provider: 'FLOE_PROVIDER',
  openaiBaseUrl: 'FLOE_OPENAI_BASE_URL',
  openaiModel: 'FLOE_OPENAI_MODEL',
  openaiApiKey: 'FLOE_OPENAI_API_KEY',
  s3Endpoint: 'FLOE_S3_ENDPOINT',
  s3Region: 'FLOE_S3_REGION',
  s3AccessKeyId: 'FLOE_S3_ACCESS_KEY_ID',
  s3SecretAccessKey: 'FLOE_S3_SECRET_ACCESS_KEY',
  s3SessionToken: 'FLOE_S3_SESSION_TOKEN',
  s3PathStyle: 'FLOE_S3_PATH_STYLE',
  requestsPerSecond: 'FLOE_REQUESTS_PER_SECOND',
  concurrentRequests: 'FLOE_CONCURRENT_REQUESTS',
  stopDelayMs: 'FLOE_STOP_DELAY_MS',
  drainMs: 'FLOE_DRAIN_MS',
  accessLog: 'FLOE_ACCESS_LOG',
  auth: 'FLOE_AUTH',
  bootstrapToken: 'FLOE_BOOTSTRAP_TOKEN',
  oidcIssuer: 'FLOE_OIDC_ISSUER',
  oidcAudience: 'FLOE_OIDC_AUDIENCE',
  oidcJwksUri: 'FLOE_OIDC_JWKS_URI',
  oidcPrincipalClaim: 'FLOE_OIDC_PRINCIPAL_CLAIM',
  oidcRolesClaim: 'FLOE_OIDC_ROLES_CLAIM',
  oidcClockSkewSeconds: 'FLOE_OIDC_CLOCK_SKEW_SECONDS',
  oauth2ServerUri: 'FLOE_OAUTH2_SERVER_URI',
  scanPlanningMode: 'FLOE_SCAN_PLANNING_MODE',
  dropRetentionSeconds: 'FLOE_DROP_RETENTION_SECONDS',
} as const

export type SettingName = keyof typeof ownNames | keyof typeof delegationNames
const names: Readonly<Record<SettingName, string>> = { ...ownNames, ...delegationNames }
type Values = { readonly [name in SettingName]?: string }

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const configFile = z.strictObject({
  ...(Object.fromEntries(Object.keys(names).map((name) => [name, scalar.optional()])) as Record<
    SettingName,
    z.ZodOptional<typeof scalar>
  >),
  catalogHeaders: z.record(z.string(), scalar).optional(),
  types: typePolicies.optional(),
  warehouses: warehouseLocations.optional(),
})
type ConfigFile = z.output<typeof configFile>

/** Each worker holds a connection to the source and a thread. */
const workersMax = 256

export const configFileName = 'floe.config.yaml'

/**
 * Settings by precedence: flag, environment, `.env`, `floe.config.yaml`, embedded default (`./.floe`).
 * @param directory  where `.env`, the configuration file and relative paths are looked up
 */
export function readSettings(
  flags: SettingFlags,
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
  defaultWorkers: number,
): LakehouseSettings {
  const fromFile = readConfigFile(path.join(directory, configFileName))
  const values = mergeValues(flags, environment, fromFile, directory)
  const sourceUrl = values.sourceUrl
  const dropRetentionMs = parseDropRetention(values.dropRetentionSeconds)
  const catalog = parseCatalog(values, fromFile.catalogHeaders, directory)
  // A catalog behind HTTP knows the names of its warehouses, and this process does not.
  const remoteName = catalog.kind === 'rest' && isWarehouseName(values.warehouse ?? '') && values.warehouse
  const chosen = remoteName ? undefined : values.warehouse
  const warehouses = parseWarehouses(chosen, fromFile.warehouses, directory)
  return {
    catalog: remoteName ? { ...catalog, warehouse: remoteName } : catalog,
    warehouse: warehouses[0].location,
    warehouses,
    store: { s3: s3Settings(values) },
    s3Delegation: parseDelegation(values, dropRetentionMs > 0),
    dropRetentionMs,
    ...parseScanPlanningMode(values.scanPlanningMode),
    cacheDirectory: path.resolve(directory, values.cacheDirectory ?? '.floe/cache'),
    query: parseQuerySettings(values, directory),
    ...parseQueryLog(values.queryLog, directory),
    workers: parseWorkers(values.workers, defaultWorkers),
    ...parseMemory(values.memory),
    provider: parseProvider(values),
    access: parseAccess(values),
    readMethod: parseReadMethod(values.readMethod),
    serve: parseServeSettings(values),
    ...(fromFile.types === undefined ? {} : { typePolicies: fromFile.types }),
    directory,
    ...(sourceUrl === undefined ? {} : { sourceUrl }),
  }
}

function mergeValues(
  flags: SettingFlags,
  environment: Readonly<Record<string, string | undefined>>,
  fromFile: ConfigFile,
  directory: string,
): Values {
  const envFile = path.join(directory, '.env')
  const dotEnv = existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {}
  const merged: { [name in SettingName]?: string } = {}
  for (const [name, variable] of Object.entries(names) as [SettingName, string][]) {
    // An empty variable is how a compose file passes on a setting that nobody made.
    const value = [flags[name], environment[variable], dotEnv[variable], fromFile[name]].find(
      (candidate) => candidate !== undefined && candidate !== '',
    )
    if (value !== undefined) merged[name] = value
  }
  return merged
}

function readConfigFile(file: string): ConfigFile {
  if (!existsSync(file)) return {}
  const parsed = configFile.safeParse(readYaml(file) ?? {})
  if (parsed.success) return parsed.data
  throw new FloeError('invalid-input', `${file}: ${z.prettifyError(parsed.error)}`, {
    hint: `known settings: ${Object.keys(names).join(', ')}, catalogHeaders, types, warehouses`,
  })
}

function readYaml(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new FloeError('invalid-input', `${file} is not YAML`, {
      hint: 'write one setting a line, as name: value',
      cause,
    })
  }
}

function parseCatalog(
  values: Values,
  headers: Readonly<Record<string, string>> | undefined,
  directory: string,
): LakehouseSettings['catalog'] {
  const text = values.catalog ?? 'sqlite:.floe/catalog.db'
  const remote = parseRemoteCatalog(text, values, headers)
  if (remote !== undefined) return remote
  if (/^postgres(?:ql)?:/.test(text)) return { kind: 'postgres', url: parsePostgresUrl(text) }
  const file = localPath(text, 'sqlite')
  if (file !== undefined) return { kind: 'sqlite', path: path.resolve(directory, file) }
  const kinds = 'sqlite:<path>, postgres://<host>/<database>, http://<host:port> and glue://<region>'
  throw new FloeError('invalid-input', `catalog ${text} is none of ${kinds}`, {
    hint: 'for example --catalog sqlite:.floe/catalog.db, or --catalog http://localhost:8181',
  })
}

function parsePostgresUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && url.hostname !== '' && url.pathname.length > 1) return text
  // The text is not shown: it may hold a password.
  throw new FloeError('invalid-input', 'the catalog is a postgres: address without host or database', {
    hint: 'for example --catalog postgres://floe@localhost:5432/catalog; the password may stand in it, or in PGPASSWORD',
  })
}

function s3Settings(values: Values): NonNullable<StoreSettings['s3']> {
  const { s3Endpoint, s3Region, s3AccessKeyId, s3SecretAccessKey, s3SessionToken, s3PathStyle } = values
  return {
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3Region === undefined ? {} : { region: s3Region }),
    ...(s3AccessKeyId === undefined ? {} : { accessKeyId: s3AccessKeyId }),
    ...(s3SecretAccessKey === undefined ? {} : { secretAccessKey: s3SecretAccessKey }),
    ...(s3SessionToken === undefined ? {} : { sessionToken: s3SessionToken }),
    ...pathStyleOf(s3Endpoint, s3PathStyle),
  }
}

/** Servers that are not AWS rarely resolve bucket names as hosts; about a server that is not named nothing is said. */
function pathStyleOf(endpoint: string | undefined, text: string | undefined): { pathStyle?: boolean } {
  if (text !== undefined) return { pathStyle: parseFlag('s3PathStyle', text) }
  return endpoint === undefined ? {} : { pathStyle: true }
}

function parseWorkers(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const workers = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (workers >= 1 && workers <= workersMax) return workers
  throw new FloeError('invalid-input', `workers is ${text}`, {
    hint: `give a whole number from 1 to ${workersMax}`,
  })
}

function parseScanPlanningMode(text: string | undefined): Pick<LakehouseSettings, 'scanPlanningMode'> {
  if (text === undefined) return {}
  if (text === 'client' || text === 'server') return { scanPlanningMode: text }
  throw new FloeError('invalid-input', `scan planning mode ${text} is not known`, {
    hint: 'use client or server, or leave it out to let clients choose',
  })
}

function parseReadMethod(text: string | undefined): ReadMethod {
  if (text === undefined || text === 'copy') return 'copy'
  if (text === 'cursor') return 'cursor'
  throw new FloeError('invalid-input', `read method ${text} is not known`, { hint: 'use copy or cursor' })
}

function parseProvider(values: Values): ProviderSettings {
  const { provider = 'rules', openaiBaseUrl, openaiModel, openaiApiKey } = values
  if (provider === 'rules') return { kind: 'rules' }
  if (provider !== 'openai-compatible') {
    throw new FloeError('invalid-input', `provider ${provider} is not known`, {
      hint: 'use rules or openai-compatible',
    })
  }
  if (openaiBaseUrl === undefined || openaiModel === undefined) {
    throw new FloeError('invalid-input', 'provider openai-compatible needs an endpoint and a model', {
      hint: 'set FLOE_OPENAI_BASE_URL (such as http://localhost:11434/v1) and FLOE_OPENAI_MODEL',
    })
  }
  return {
    kind: 'openai-compatible',
    baseUrl: openaiBaseUrl,
    model: openaiModel,
    ...(openaiApiKey === undefined ? {} : { apiKey: openaiApiKey }),
  }
}
