import { decodeManifestList, FloeError, inheritEntries, toFloeError } from '@floe/iceberg'
import type { DecodedManifest, ManifestEntry, ManifestFile, Snapshot } from '@floe/iceberg'
import type { ObjectReader } from '@floe/storage'

import { avroCodecs as codecs, decodeBytes } from './manifest-bytes.ts'
import type { DecodeElsewhere } from './manifest-bytes.ts'
import type { ManifestCache } from './manifest-cache.ts'

export type ManifestReader = {
  readonly store: ObjectReader
  readonly cache: ManifestCache
  /** Columns whose metrics are read; all when absent. */
  readonly metricColumns?: ReadonlySet<number>
  /** Decodes manifests in place when absent. */
  readonly decodeElsewhere?: DecodeElsewhere
}

/** The manifests of a snapshot. v1 snapshots may list them in the table metadata instead of in a file. */
export async function loadManifests(
  snapshot: Snapshot,
  reader: ManifestReader,
): Promise<readonly ManifestFile[]> {
  const { manifestList, manifests = [] } = snapshot
  if (manifestList !== undefined)
    return loadCached(manifestList, 'list', (bytes) => decodeManifestList(bytes, { codecs }), reader)
  const listed: ManifestFile[] = []
  for (const path of manifests) listed.push(await inlineManifest(path, snapshot, reader))
  return listed
}

async function inlineManifest(
  path: string,
  snapshot: Snapshot,
  reader: ManifestReader,
): Promise<ManifestFile> {
  const { header } = await loadManifest(path, reader)
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
  const { entries } = await loadManifest(manifest.manifestPath, reader)
  return inheritEntries(entries, manifest)
}

/** The live entries of a manifest: those that were added or kept, not those that record a removal. */
export async function loadLiveEntries(
  manifest: ManifestFile,
  reader: ManifestReader,
): Promise<readonly LiveEntry[]> {
  const { manifestPath, sequenceNumber, firstRowId } = manifest
  const inherited = `${sequenceNumber} ${firstRowId ?? ''}`
  const kind = `live ${inherited} ${columnsKey(reader)}`
  return loadCached(
    manifestPath,
    kind,
    async (bytes) => liveEntries(await decode(bytes, reader), manifest),
    reader,
  )
}

function liveEntries({ entries }: DecodedManifest, manifest: ManifestFile): readonly LiveEntry[] {
  return inheritEntries(entries, manifest)
    .filter(({ status }) => status !== 'deleted')
    .map((entry) => (hasNumber(entry) ? entry : { ...entry, sequenceNumber: 0n }))
}

function hasNumber(entry: ManifestEntry): entry is LiveEntry {
  return entry.sequenceNumber !== undefined
}

function decode(
  bytes: Uint8Array,
  { metricColumns, decodeElsewhere }: ManifestReader,
): DecodedManifest | Promise<DecodedManifest> {
  const manifest = { bytes, ...(metricColumns === undefined ? {} : { metricColumns }) }
  return decodeElsewhere === undefined ? decodeBytes(manifest) : decodeElsewhere(manifest)
}

function columnsKey({ metricColumns }: ManifestReader): string {
  return metricColumns === undefined ? 'all' : [...metricColumns].sort((a, b) => a - b).join()
}

function loadManifest(path: string, reader: ManifestReader): Promise<DecodedManifest> {
  return loadCached(path, `manifest ${columnsKey(reader)}`, (bytes) => decode(bytes, reader), reader)
}

function loadCached<Value>(
  location: string,
  kind: string,
  decode: (bytes: Uint8Array) => Value | Promise<Value>,
  { store, cache }: ManifestReader,
): Promise<Value> {
  return cache.get(`${kind} ${location}`, async () => {
    const bytes = await store.get(location)
    const size = bytes.byteLength
    return { value: await decodeAt(location, bytes, decode), bytes: size }
  })
}

async function decodeAt<Value>(
  location: string,
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Value | Promise<Value>,
): Promise<Value> {
  try {
    return await decode(bytes)
  } catch (error) {
    const { code, message, hint } = toFloeError(error)
    throw new FloeError(code, `${location}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
