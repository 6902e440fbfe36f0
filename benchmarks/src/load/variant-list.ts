import type { ObjectStore } from '@floe/storage'
import { duckDbIcebergVariant, duckDbParquetVariant } from './duckdb-variants.ts'
import { drainVariant, localVariant, nullVariant, restVariant, s3Variant } from './floe-variants.ts'
import type { LoadSource, LoadVariant } from './load-variant.ts'
import { pyIcebergVariant } from './pyiceberg-variant.ts'
import type { RestLake } from './rest-lake.ts'
import { sparkVariant } from './spark-variant.ts'

/** What variants share; the lake is started by the first that asks for it. */
export type VariantContext = {
  readonly source: LoadSource
  /** Of local files. */
  readonly store: ObjectStore
  readonly lake: () => Promise<RestLake>
}

type Opener = (context: VariantContext) => LoadVariant | Promise<LoadVariant>

/** Every variant by its name; a peer is installed when it is opened. */
const openers: Readonly<Record<string, Opener>> = {
  drain: ({ source }) => drainVariant(source),
  'null-encoder': ({ source }) => nullVariant(source, 'null-encoder'),
  'null-store': ({ source }) => nullVariant(source, 'null-store'),
  'null-source': ({ source }) => nullVariant(source, 'null-source'),
  copy: ({ source, store }) => localVariant(source, store, 'copy'),
  cursor: ({ source, store }) => localVariant(source, store, 'cursor'),
  'copy-s3': async ({ source, lake }) => s3Variant(source, await lake()),
  'copy-rest': async ({ source, lake }) => restVariant(source, await lake()),
  'duckdb-parquet': ({ source }) => duckDbParquetVariant(source, 'zstd'),
  'duckdb-parquet-snappy': ({ source }) => duckDbParquetVariant(source, 'snappy'),
  'duckdb-iceberg': async ({ source, lake }) => duckDbIcebergVariant(source, await lake()),
  'pyiceberg-duckdb': async ({ source, lake }) => pyIcebergVariant(source, await lake(), 'duckdb'),
  'pyiceberg-connectorx': async ({ source, lake }) => pyIcebergVariant(source, await lake(), 'connectorx'),
  'spark-jdbc': async ({ source, lake }) => sparkVariant(source, await lake()),
}

export const loadVariantNames: readonly string[] = Object.keys(openers)

const ownVariants = ['drain', 'null-encoder', 'null-store', 'null-source', 'copy']
const localPeers = ['duckdb-parquet', 'duckdb-parquet-snappy']

/** What is measured when nothing else is asked for: npm alone, local peers as well, or all but the slow cursor. */
export const standardVariants: Readonly<Record<'npm' | 'local' | 'all', readonly string[]>> = {
  npm: [...ownVariants, 'cursor'],
  local: [...ownVariants, ...localPeers],
  all: loadVariantNames.filter((name) => name !== 'cursor'),
}

export async function openVariant(name: string, context: VariantContext): Promise<LoadVariant> {
  const open = openers[name]
  if (open === undefined) throw new Error(`no variant ${name}: there are ${loadVariantNames.join(', ')}`)
  return await open(context)
}
