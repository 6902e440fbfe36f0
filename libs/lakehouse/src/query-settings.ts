import path from 'node:path'
import { FloeError } from '@floe/iceberg'
import { parseMemory } from './memory-size.ts'

/** Limits of each query; what is absent is the engine's own default. */
export type QuerySettings = {
  readonly memoryMaxMb?: number
  readonly timeoutMs: number
  readonly resultBytesMax?: number
  readonly cacheBytesMax?: number
  /** Where DuckDB's httpfs is; files in S3 are read through the cache when absent. */
  readonly duckdbExtensions?: string
}

/** The settings as they were written, by their names. */
type Written = {
  readonly sqlMemory?: string
  readonly sqlTimeoutSeconds?: string
  readonly sqlResultSize?: string
  readonly cacheSize?: string
  readonly duckdbExtensions?: string
}

const timeoutSecondsDefault = 300
const bytesPerMb = 1024 ** 2

/** @throws FloeError invalid-input */
export function parseQuerySettings(
  { sqlMemory, sqlTimeoutSeconds, sqlResultSize, cacheSize, duckdbExtensions }: Written,
  directory: string,
): QuerySettings {
  const memory = parseMemory(sqlMemory).memoryBytes
  const result = parseMemory(sqlResultSize).memoryBytes
  const cache = parseMemory(cacheSize).memoryBytes
  return {
    timeoutMs: parseTimeout(sqlTimeoutSeconds) * 1000,
    ...(memory === undefined ? {} : { memoryMaxMb: Math.max(1, Math.floor(memory / bytesPerMb)) }),
    ...(result === undefined ? {} : { resultBytesMax: result }),
    ...(cache === undefined ? {} : { cacheBytesMax: cache }),
    ...(duckdbExtensions === undefined
      ? {}
      : { duckdbExtensions: path.resolve(directory, duckdbExtensions) }),
  }
}

/** Where queries from outside are logged; `undefined` when they are not. */
export function parseQueryLog(text: string | undefined, directory: string): { readonly queryLog?: string } {
  return text === 'off' ? {} : { queryLog: path.resolve(directory, text ?? '.floe/queries.ndjson') }
}

function parseTimeout(text: string | undefined): number {
  const seconds = text === undefined ? timeoutSecondsDefault : /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (seconds > 0) return seconds
  throw new FloeError('invalid-input', `sqlTimeoutSeconds is ${text}`, {
    hint: 'give a whole number of seconds from 1',
  })
}
