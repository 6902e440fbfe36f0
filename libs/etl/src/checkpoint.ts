import { decodeManifest, encodeManifest, parseJson, stringifyJson } from '@floe/iceberg'
import type { DataFile, JsonObject, JsonValue, PartitionSpec, Schema } from '@floe/iceberg'
import type { BlockRange } from '@floe/postgres'

/** Files that hold all rows of some blocks, and no others: none of those blocks need be read again. */
export type Checkpoint = {
  readonly ranges: readonly BlockRange[]
  readonly rows: number
  /** Values changed by a policy, by column and case. */
  readonly touched: Readonly<Record<string, number>>
  readonly dataFiles: readonly DataFile[]
}

export type CheckpointTable = {
  readonly schema: Schema
  readonly spec: PartitionSpec
  readonly formatVersion: 1 | 2 | 3
}

const version = 1
/** Entries of a manifest have a snapshot; that of these is not known yet. */
const noSnapshot = 0n

/** As JSON, with the files as an Iceberg manifest in base64: what is known of a file is in it, in its own types. */
export function encodeCheckpoint(
  { ranges, rows, touched, dataFiles }: Checkpoint,
  table: CheckpointTable,
): Uint8Array {
  const entries = dataFiles.map((dataFile) => ({
    status: 'added' as const,
    snapshotId: noSnapshot,
    dataFile,
  }))
  const manifest =
    entries.length === 0
      ? {}
      : { manifest: Buffer.from(encodeManifest({ ...table, content: 'data' }, entries)).toString('base64') }
  const state: JsonObject = { version, ranges: ranges.map(rangeToJson), rows, touched, ...manifest }
  return new TextEncoder().encode(stringifyJson(state))
}

/** `undefined` for what another version has written, or what was damaged. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  try {
    const state = parseJson(new TextDecoder().decode(bytes))
    if (!isObject(state) || state['version'] !== version) return undefined
    const { ranges, rows, touched, manifest } = state
    if (!Array.isArray(ranges) || typeof rows !== 'number' || !isObject(touched)) return undefined
    return {
      ranges: ranges.map(parseRange),
      rows,
      touched: Object.fromEntries(Object.entries(touched).map(([name, count]) => [name, Number(count)])),
      dataFiles: typeof manifest === 'string' ? decodeFiles(Buffer.from(manifest, 'base64')) : [],
    }
  } catch {
    return undefined
  }
}

function decodeFiles(bytes: Uint8Array): readonly DataFile[] {
  return decodeManifest(bytes).entries.map(({ dataFile }) => dataFile)
}

function rangeToJson({ relation, firstBlock, lastBlock }: BlockRange): JsonObject {
  return {
    relation,
    'first-block': firstBlock,
    ...(lastBlock === undefined ? {} : { 'last-block': lastBlock }),
  }
}

function parseRange(value: JsonValue): BlockRange {
  if (!isObject(value)) throw new TypeError('no range of blocks')
  const { relation, 'first-block': firstBlock, 'last-block': lastBlock } = value
  if (typeof relation !== 'string' || typeof firstBlock !== 'number')
    throw new TypeError('no range of blocks')
  if (lastBlock !== undefined && typeof lastBlock !== 'number') throw new TypeError('no range of blocks')
  return { relation, firstBlock, lastBlock }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
