import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { decodeManifestList, jsonEqual, parseJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import { propertyTokens, snapshotsOf, snapshotToken } from './append.ts'
import { createdProperty } from './create-request.ts'
import type { ObservedMetadataFile, ObservedTable } from './observed-table.ts'
import { asArray, asLong, asObject, asText } from './rest-client.ts'
import type { RestClient, RestRequest } from './rest-client.ts'

/** Every table of a namespace, through the protocol and from the files that its metadata names. */
export async function observeTables(rest: RestClient, namespace: string): Promise<readonly ObservedTable[]> {
  const path = `/namespaces/${namespace}/tables`
  const list = await get(rest, path)
  const tables: ObservedTable[] = []
  for (const identifier of asArray(list['identifiers']).map(asObject)) {
    const name = asText(identifier['name'])
    tables.push(await observeTable(name, await get(rest, `${path}/${name}`)))
  }
  return tables
}

async function get(rest: RestClient, path: string): Promise<JsonObject> {
  const request: RestRequest = { method: 'GET', path }
  const { status, body } = await rest.send(request)
  if (status !== 200)
    throw new Error(`GET ${path} was answered with ${status}: ${JSON.stringify(body['error'])}`)
  return body
}

async function observeTable(name: string, answer: JsonObject): Promise<ObservedTable> {
  const metadata = asObject(answer['metadata'])
  const location = asText(answer['metadata-location'])
  const properties = asObject(metadata['properties'])
  const snapshots = snapshotsOf(metadata)
  const created = properties[createdProperty]
  const current = asLong(metadata['current-snapshot-id'])
  const log = asArray(metadata['metadata-log']).map(asObject)
  const files = [
    ...log.map((entry) => ({
      location: asText(entry['metadata-file']),
      timestampMs: Number(entry['timestamp-ms']),
    })),
    { location, timestampMs: Number(metadata['last-updated-ms']) },
  ]
  const metadataFiles: ObservedMetadataFile[] = []
  for (const file of files)
    metadataFiles.push(await observeMetadataFile(file, file.location === location ? metadata : undefined))
  return {
    uuid: asText(metadata['table-uuid']),
    name,
    createToken: typeof created === 'string' ? created : undefined,
    propertyTokens: propertyTokens(properties),
    snapshots: snapshots.map((snapshot) => ({
      id: asLong(snapshot['snapshot-id']) ?? -1n,
      parentId: asLong(snapshot['parent-snapshot-id']),
      sequenceNumber: asLong(snapshot['sequence-number']) ?? 0n,
      token: snapshotToken(snapshot),
    })),
    currentSnapshotId: current === -1n ? undefined : current,
    mainSnapshotId: asLong(asObject(asObject(metadata['refs'])['main'])['snapshot-id']),
    lastSequenceNumber: asLong(metadata['last-sequence-number']) ?? 0n,
    snapshotLog: asArray(metadata['snapshot-log']).map(
      (entry) => asLong(asObject(entry)['snapshot-id']) ?? -1n,
    ),
    metadataFiles,
    missingFiles: await missingManifestLists(snapshots.map((snapshot) => asText(snapshot['manifest-list']))),
  }
}

/** `served`: what the catalog gives as this file; a file that says otherwise counts as unreadable. */
async function observeMetadataFile(
  file: Pick<ObservedMetadataFile, 'location' | 'timestampMs'>,
  served: JsonObject | undefined,
): Promise<ObservedMetadataFile> {
  const text = await readFile(fileURLToPath(file.location), 'utf8').catch(() => undefined)
  const metadata = text === undefined ? undefined : parseOrNothing(text)
  if (metadata === undefined || (served !== undefined && !jsonEqual(metadata, served)))
    return { ...file, log: undefined, table: undefined }
  return {
    ...file,
    log: asArray(metadata['metadata-log']).map((entry) => asText(asObject(entry)['metadata-file'])),
    table: asText(metadata['table-uuid']),
  }
}

function parseOrNothing(text: string): JsonObject | undefined {
  try {
    return asObject(parseJson(text))
  } catch {
    return undefined
  }
}

async function missingManifestLists(locations: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = []
  for (const location of locations) {
    const bytes = await readFile(fileURLToPath(location)).catch(() => undefined)
    if (bytes === undefined || !isManifestList(bytes)) missing.push(location)
  }
  return missing
}

function isManifestList(bytes: Uint8Array): boolean {
  try {
    return decodeManifestList(bytes).length === 0
  } catch {
    return false
  }
}
