import { decodeManifest, decodeManifestList, FloeError, inheritEntries, toFloeError } from '@floe/iceberg'
import type { ManifestEntry, ManifestFile, Snapshot } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'

import type { ManifestCache } from './manifest-cache.ts'

export type ManifestReader = { readonly store: ObjectStore; readonly cache: ManifestCache }

/** The manifests of a snapshot. v1 snapshots may list them in the table metadata instead of in a file. */
export async function loadManifests(
  snapshot: Snapshot,
  reader: ManifestReader,
): Promise<readonly ManifestFile[]> {
  const { manifestList, manifests = [] } = snapshot
  if (manifestList !== undefined) return loadCached(manifestList, 'list', decodeManifestList, reader)
  const listed: ManifestFile[] = []
  for (const path of manifests) listed.push(await inlineManifest(path, snapshot, reader))
  return listed
}

async function inlineManifest(
  path: string,
  snapshot: Snapshot,
  reader: ManifestReader,
): Promise<ManifestFile> {
  const { header } = await loadCached(path, 'manifest', decodeManifest, reader)
  return {
    manifestPath: path,
    manifestLength: 0,
    partitionSpecId: header.spec.specId,
    content: 'data',
    sequenceNumber: 0n,
    minSequenceNumber: 0n,
    addedSnapshotId: snapshot.snapshotId,
  }
}

/** A live file of a manifest, with everything that it inherits. */
export type LiveEntry = ManifestEntry & { readonly sequenceNumber: bigint }

/** Every entry of a manifest, removals too, with everything that it inherits. */
export async function loadEntries(
  manifest: ManifestFile,
  reader: ManifestReader,
): Promise<readonly ManifestEntry[]> {
  const { entries } = await loadCached(manifest.manifestPath, 'manifest', decodeManifest, reader)
  return inheritEntries(entries, manifest)
}

/** The live entries of a manifest: those that were added or kept, not those that record a removal. */
export async function loadLiveEntries(
  manifest: ManifestFile,
  reader: ManifestReader,
): Promise<readonly LiveEntry[]> {
  const entries = await loadEntries(manifest, reader)
  return entries
    .filter(({ status }) => status !== 'deleted')
    .map((entry) => ({ ...entry, sequenceNumber: entry.sequenceNumber ?? 0n }))
}

function loadCached<Value>(
  location: string,
  kind: string,
  decode: (bytes: Uint8Array) => Value,
  { store, cache }: ManifestReader,
): Promise<Value> {
  return cache.get(`${kind} ${location}`, async () => {
    const bytes = await store.get(location)
    return { value: decodeAt(location, bytes, decode), bytes: bytes.byteLength }
  })
}

function decodeAt<Value>(location: string, bytes: Uint8Array, decode: (bytes: Uint8Array) => Value): Value {
  try {
    return decode(bytes)
  } catch (error) {
    const { code, message, hint } = toFloeError(error)
    throw new FloeError(code, `${location}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
