import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeManifestList } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { SeededRandom } from '@floe/testing'
import { asArray, asLong, asObject, asText } from './rest-client.ts'
import type { Answer } from './rest-client.ts'

/** Member of a snapshot's summary that holds the token of the change that made it. */
const tokenProperty = 'history.token'
/** Table properties that changes of properties leave behind. */
export const tokenPropertyPrefix = 'history.token.'

export type TableState = {
  readonly uuid: string
  readonly location: string
  readonly snapshotId: bigint | undefined
  readonly sequenceNumber: bigint
}

/** The table in an answer that carries one. */
export function loadedTable({ status, body }: Answer): TableState | undefined {
  const metadata = asObject(body['metadata'])
  if (status !== 200 || metadata['table-uuid'] === undefined) return undefined
  const current = asLong(metadata['current-snapshot-id'])
  return {
    uuid: asText(metadata['table-uuid']),
    location: asText(metadata['location']),
    // Java writes -1 where there is none.
    snapshotId: current === -1n ? undefined : current,
    sequenceNumber: asLong(metadata['last-sequence-number']) ?? 0n,
  }
}

type ManifestListFile = {
  readonly location: string
  readonly snapshotId: bigint
  remove(): Promise<void>
}

/** An append to `main` as clients send it: on the snapshot that was read, and on no other. */
export function snapshotCommit(
  table: TableState,
  token: string,
  random: SeededRandom,
): { readonly body: JsonObject; readonly manifestList: ManifestListFile } {
  const snapshotId = randomSnapshotId(random)
  const location = `${table.location}/metadata/snap-${snapshotId}.avro`
  const snapshot = {
    'snapshot-id': snapshotId,
    ...(table.snapshotId === undefined ? {} : { 'parent-snapshot-id': table.snapshotId }),
    'sequence-number': table.sequenceNumber + 1n,
    'timestamp-ms': Date.now(),
    'manifest-list': location,
    summary: { operation: 'append', [tokenProperty]: token },
    'schema-id': 0,
  }
  const body = {
    requirements: [
      { type: 'assert-table-uuid', uuid: table.uuid },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': table.snapshotId ?? null },
    ],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': snapshotId },
    ],
  }
  const remove = (): Promise<void> => rm(fileURLToPath(location), { force: true })
  return { body, manifestList: { location, snapshotId, remove } }
}

/** Clients write what a snapshot names before they commit it, and remove it when the commit was refused. */
export async function writeManifestList(
  { location, snapshotId }: ManifestListFile,
  table: TableState,
): Promise<void> {
  const bytes = encodeManifestList([], {
    formatVersion: 2,
    snapshotId,
    parentSnapshotId: table.snapshotId,
    sequenceNumber: table.sequenceNumber + 1n,
  })
  const file = fileURLToPath(location)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, bytes)
}

/** Mostly beyond 2^53, as Java's are. */
function randomSnapshotId(random: SeededRandom): bigint {
  const half = (): bigint => BigInt(Math.floor(random() * 2 ** 31))
  return (half() << 32n) | (half() << 1n) | 1n
}

/** Tokens in the properties of a table. */
export function propertyTokens(properties: JsonObject): readonly string[] {
  return Object.keys(properties)
    .filter((key) => key.startsWith(tokenPropertyPrefix))
    .map((key) => key.slice(tokenPropertyPrefix.length))
}

/** Of a snapshot in metadata. */
export function snapshotToken(snapshot: JsonObject): string | undefined {
  const token = asObject(snapshot['summary'])[tokenProperty]
  return typeof token === 'string' ? token : undefined
}

export function snapshotsOf(metadata: JsonObject): readonly JsonObject[] {
  return asArray(metadata['snapshots']).map(asObject)
}
