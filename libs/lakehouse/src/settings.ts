import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { FloeError } from '@floe/iceberg'
import type { ReadMethod, TableTypePolicies } from '@floe/etl'
import type { StoreSettings } from '@floe/storage'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { delegationNames, parseDelegation } from './delegation-settings.ts'
import type { S3Delegation } from './delegation-settings.ts'
import { typePolicies } from './type-policies.ts'

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
    | { readonly kind: 'rest'; readonly uri: string; readonly token?: string }
  /** Location under which tables are made: `file:///...` or `s3://bucket/prefix`. */
  readonly warehouse: string
  readonly store: StoreSettings
  readonly s3Delegation: S3Delegation
  /** What clients of the catalog are told about who plans their scans; they choose when absent. */
  readonly scanPlanningMode?: 'client' | 'server'
  /** Immutable remote files are kept here while queries need them. */
  readonly cacheDirectory: string
  readonly workers: number
  readonly sourceUrl?: string
  readonly provider: ProviderSettings
  /** How a load reads rows: COPY BINARY, or a cursor behind poolers that refuse COPY. */
  readonly readMethod: ReadMethod
  readonly typePolicies?: TableTypePolicies
  /** Where the tables' files and the settings came from, for messages. */
  readonly directory: string
}

/** Flags of the command line, by the names of the settings; what is `undefined` was not given. */
export type SettingFlags = { readonly [name in SettingName]?: string | undefined }

const ownNames = {
  catalog: 'FLOE_CATALOG',
  warehouse: 'FLOE_WAREHOUSE',
  token: 'FLOE_TOKEN',
  cacheDirectory: 'FLOE_CACHE_DIRECTORY',
  workers: 'FLOE_WORKERS',
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
  scanPlanningMode: 'FLOE_SCAN_PLANNING_MODE',
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
  types: typePolicies.optional(),
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
  return {
    catalog: parseCatalog(values.catalog ?? 'sqlite:.floe/catalog.db', values.token, directory),
    warehouse: parseWarehouse(values.warehouse ?? 'file:.floe/warehouse', directory),
    store: { s3: s3Settings(values) },
    s3Delegation: parseDelegation(values),
    ...parseScanPlanningMode(values.scanPlanningMode),
    cacheDirectory: path.resolve(directory, values.cacheDirectory ?? '.floe/cache'),
    workers: parseWorkers(values.workers, defaultWorkers),
    provider: parseProvider(values),
    readMethod: parseReadMethod(values.readMethod),
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
    hint: `known settings: ${Object.keys(names).join(', ')}, types`,
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
  text: string,
  token: string | undefined,
  directory: string,
): LakehouseSettings['catalog'] {
  if (/^https?:\/\//.test(text) && URL.canParse(text))
    return { kind: 'rest', uri: text, ...(token === undefined ? {} : { token }) }
  const file = localPath(text, 'sqlite')
  if (file !== undefined) return { kind: 'sqlite', path: path.resolve(directory, file) }
  throw new FloeError('invalid-input', `catalog ${text} is neither sqlite:<path> nor http://<host:port>`, {
    hint: 'for example --catalog sqlite:.floe/catalog.db, or --catalog http://localhost:8181',
  })
}

function parseWarehouse(text: string, directory: string): string {
  if (/^s3a?:\/\/[^/]/.test(text)) return text.replace(/\/+$/, '')
  if (text.startsWith('memory://')) return text
  const folder = /^[a-z][a-z0-9+.-]*:/i.test(text) ? localPath(text, 'file') : text
  if (folder !== undefined) return `file://${path.resolve(directory, folder)}`
  throw new FloeError('invalid-input', `warehouse ${text} is neither file:<dir> nor s3://<bucket>/<prefix>`, {
    hint: 'for example --warehouse file:.floe/warehouse, or --warehouse s3://lake/warehouse',
  })
}

/** The path of `scheme:path` or `scheme:///path`; none of `scheme://host/path`, which names another machine. */
function localPath(text: string, scheme: string): string | undefined {
  if (!text.startsWith(`${scheme}:`)) return undefined
  const name = text.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, '')
  return name === '' || name.startsWith('//') ? undefined : name
}

function s3Settings(values: Values): NonNullable<StoreSettings['s3']> {
  const { s3Endpoint, s3Region, s3AccessKeyId, s3SecretAccessKey, s3SessionToken, s3PathStyle } = values
  return {
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3Region === undefined ? {} : { region: s3Region }),
    ...(s3AccessKeyId === undefined ? {} : { accessKeyId: s3AccessKeyId }),
    ...(s3SecretAccessKey === undefined ? {} : { secretAccessKey: s3SecretAccessKey }),
    ...(s3SessionToken === undefined ? {} : { sessionToken: s3SessionToken }),
    // Servers that are not AWS rarely resolve bucket names as hosts.
    pathStyle: s3PathStyle === undefined ? s3Endpoint !== undefined : parseFlag('s3PathStyle', s3PathStyle),
  }
}

function parseFlag(name: SettingName, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new FloeError('invalid-input', `${name} is ${text}`, { hint: 'give true or false' })
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
