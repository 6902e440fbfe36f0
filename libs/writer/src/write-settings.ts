import { FloeError } from '@floe/iceberg/values'
import { parseMetricsMode } from '@floe/parquet'
import type { BloomFilterSettings, Codec, MetricsMode } from '@floe/parquet'

const MiB = 1024 * 1024

/** The `write.*` and `commit.*` table properties that this writer honours, parsed, with Iceberg's defaults. */
export type WriteSettings = {
  readonly targetFileBytes: number
  /** Column bytes and rows of a row group at most; batches are cut at them, never joined. */
  readonly rowGroupBytes: number
  readonly rowGroupRowsMax: number
  readonly pageBytes: number
  readonly pageRowsMax: number
  readonly dictionaryBytesMax: number
  readonly codec: Codec
  readonly level: number | undefined
  readonly metrics: { readonly default: MetricsMode; readonly columns: Readonly<Record<string, MetricsMode>> }
  readonly bloomFilters: BloomFilterSettings | undefined
  readonly dataPath: string | undefined
  readonly metadataPath: string | undefined
  readonly objectStorage: boolean
  readonly objectStoragePartitionedPaths: boolean
  readonly manifestTargetBytes: number
  readonly commitRetriesMax: number
  readonly commitRetryDelayMsMin: number
  readonly commitRetryDelayMsMax: number
  readonly commitStatusChecksMax: number
  /** `write.*`, `commit.*` and `history.*` properties that are set but have no effect on this writer. */
  readonly ignored: readonly string[]
}

const codecs: readonly Codec[] = ['zstd', 'snappy', 'gzip', 'uncompressed']

/** Codecs of other writers: files are compressed by the default one, and the property is reported. */
const foreignCodecs = new Set(['lz4', 'lz4_raw', 'lzo', 'brotli'])

const compressionLevelsMax: Readonly<Partial<Record<Codec, number>>> = { zstd: 22, gzip: 9 }

const honoured = new Set([
  'write.format.default',
  'write.target-file-size-bytes',
  'write.parquet.row-group-size-bytes',
  'write.parquet.row-group-limit',
  'write.parquet.bloom-filter-max-bytes',
  'write.parquet.page-size-bytes',
  'write.parquet.page-row-limit',
  'write.parquet.dict-size-bytes',
  'write.parquet.compression-codec',
  'write.parquet.compression-level',
  'write.metadata.metrics.default',
  'write.data.path',
  'write.metadata.path',
  'write.object-storage.enabled',
  'write.object-storage.partitioned-paths',
  'write.metadata.compression-codec',
  'write.metadata.previous-versions-max',
  'write.metadata.delete-after-commit.enabled',
  'commit.manifest.target-size-bytes',
  'commit.retry.num-retries',
  'commit.retry.min-wait-ms',
  'commit.retry.max-wait-ms',
  'commit.status-check.num-retries',
])
const columnMetricsPrefix = 'write.metadata.metrics.column.'
const bloomEnabledPrefix = 'write.parquet.bloom-filter-enabled.column.'
const bloomSharePrefix = 'write.parquet.bloom-filter-fpp.column.'
const honouredPrefixes = [columnMetricsPrefix, bloomEnabledPrefix, bloomSharePrefix]
/** What every writer does that neither shuffles nor merges: set or not, it is honoured. */
const honouredValues: Readonly<Record<string, readonly string[]>> = {
  'write.distribution-mode': ['none'],
  'write.parquet.page-version': ['v1'],
  'commit.manifest-merge.enabled': ['false'],
  'write.summary.partition-limit': ['0'],
}

/**
 * Reads table properties (apache/iceberg docs, configuration.md). A value that cannot be meant, such as a negative
 * size, is `invalid-input`; a property without effect is listed in `ignored`.
 */
export function parseWriteSettings(properties: Readonly<Record<string, string>>): WriteSettings {
  const size = (name: string, fallback: number): number => parseCount(properties, name, fallback, 1)
  const count = (name: string, fallback: number): number => parseCount(properties, name, fallback, 0)
  const isTrue = (name: string, fallback: string): boolean =>
    (properties[name] ?? fallback).toLowerCase() === 'true'
  const codec = parseCodec(properties['write.parquet.compression-codec'])
  const format = properties['write.format.default']
  if (format !== undefined && format.toLowerCase() !== 'parquet') {
    throw new FloeError('unsupported', `table property write.format.default is ${format}`, {
      hint: 'data files are written as parquet: set write.format.default to parquet',
    })
  }
  return {
    targetFileBytes: size('write.target-file-size-bytes', 512 * MiB),
    rowGroupBytes: size('write.parquet.row-group-size-bytes', 128 * MiB),
    rowGroupRowsMax: size('write.parquet.row-group-limit', Number.MAX_SAFE_INTEGER),
    pageBytes: size('write.parquet.page-size-bytes', MiB),
    // Iceberg's default of 20,000 rows serves page indexes, which are not written; each page costs a zstd context.
    pageRowsMax: size('write.parquet.page-row-limit', Number.MAX_SAFE_INTEGER),
    dictionaryBytesMax: count('write.parquet.dict-size-bytes', 2 * MiB),
    codec,
    level: parseLevel(properties, codec),
    metrics: parseMetrics(properties),
    bloomFilters: parseBloomFilters(properties, size('write.parquet.bloom-filter-max-bytes', MiB)),
    dataPath: properties['write.data.path'],
    metadataPath: properties['write.metadata.path'],
    objectStorage: isTrue('write.object-storage.enabled', 'false'),
    objectStoragePartitionedPaths: isTrue('write.object-storage.partitioned-paths', 'true'),
    manifestTargetBytes: size('commit.manifest.target-size-bytes', 8 * MiB),
    commitRetriesMax: count('commit.retry.num-retries', 4),
    commitRetryDelayMsMin: count('commit.retry.min-wait-ms', 100),
    commitRetryDelayMsMax: count('commit.retry.max-wait-ms', 60_000),
    commitStatusChecksMax: count('commit.status-check.num-retries', 3),
    ignored: Object.entries(properties)
      .filter(([name]) => /^(write|commit|history)\./.test(name))
      .filter(([name, value]) => !isHonoured(name, value))
      .map(([name]) => name)
      .toSorted(),
  }
}

function isHonoured(name: string, value: string): boolean {
  if (name === 'write.parquet.compression-codec') return !foreignCodecs.has(value.toLowerCase())
  if (honouredValues[name]?.includes(value.toLowerCase()) === true) return true
  return honoured.has(name) || honouredPrefixes.some((prefix) => name.startsWith(prefix))
}

const falsePositiveShareDefault = 0.01

function parseBloomFilters(
  properties: Readonly<Record<string, string>>,
  bytesMax: number,
): BloomFilterSettings | undefined {
  const shares = Object.entries(properties)
    .filter(([name, value]) => name.startsWith(bloomEnabledPrefix) && value.toLowerCase() === 'true')
    .map(([name]) => {
      const column = name.slice(bloomEnabledPrefix.length)
      return [column, parseShare(properties, `${bloomSharePrefix}${column}`)] as const
    })
  return shares.length === 0 ? undefined : { falsePositiveShares: Object.fromEntries(shares), bytesMax }
}

function parseShare(properties: Readonly<Record<string, string>>, name: string): number {
  const text = properties[name]
  if (text === undefined) return falsePositiveShareDefault
  const share = Number(text)
  if (share > 0 && share < 1) return share
  throw new FloeError('invalid-input', `table property ${name} is not a share between 0 and 1: ${text}`, {
    hint: `set ${name} to a number such as ${falsePositiveShareDefault}`,
  })
}

function parseCount(
  properties: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
  least: number,
): number {
  const text = properties[name]
  if (text === undefined) return fallback
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new FloeError(
    'invalid-input',
    `table property ${name} is not a whole number from ${least}: ${text}`,
    {
      hint: `set ${name} to a number, or remove it for the default ${fallback}`,
    },
  )
}

/** The codec's own scale; codecs without levels take none. */
function parseLevel(properties: Readonly<Record<string, string>>, codec: Codec): number | undefined {
  const name = 'write.parquet.compression-level'
  const most = compressionLevelsMax[codec]
  if (properties[name] === undefined || most === undefined) return undefined
  const level = parseCount(properties, name, 1, 1)
  if (level <= most) return level
  throw new FloeError('invalid-input', `table property ${name} is ${level}`, {
    hint: `${codec} takes levels from 1 to ${most}`,
  })
}

function parseCodec(text: string | undefined): Codec {
  if (text === undefined || foreignCodecs.has(text.toLowerCase())) return 'zstd'
  const codec = codecs.find((name) => name === text.toLowerCase())
  if (codec !== undefined) return codec
  throw new FloeError('unsupported', `table property write.parquet.compression-codec is ${text}`, {
    hint: `use one of ${codecs.join(', ')}`,
  })
}

function parseMetrics(properties: Readonly<Record<string, string>>): WriteSettings['metrics'] {
  const columns = Object.entries(properties)
    .filter(([name]) => name.startsWith(columnMetricsPrefix))
    .map(([name, mode]) => [name.slice(columnMetricsPrefix.length), parseMetricsMode(mode)] as const)
  return {
    default: parseMetricsMode(properties['write.metadata.metrics.default'] ?? 'truncate(16)'),
    columns: Object.fromEntries(columns),
  }
}
