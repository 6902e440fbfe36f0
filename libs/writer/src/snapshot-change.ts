import { decodeManifest, FloeError, inheritEntries } from '@floe/iceberg'
import type {
  DataFile,
  ManifestEntry,
  ManifestFile,
  PartitionSpec,
  Schema,
  TableMetadata,
} from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'

/**
 * What a snapshot does to the table. `append` adds files; `merge` adds files, and delete files that take rows out of
 * all older ones; `replace-all` adds files and removes everything that is live. Each in one snapshot.
 */
export type SnapshotChange = {
  readonly kind: 'append' | 'merge' | 'replace-all'
  /** All written with the table's default spec. */
  readonly dataFiles: readonly DataFile[]
  /** Of `merge` alone: all written with one spec of the table. */
  readonly deleteFiles?: readonly DataFile[]
}

/** Manifests of the parent with their live entries: what `replace-all` turns into deletes. */
export type LiveManifest = { readonly manifest: ManifestFile; readonly entries: readonly ManifestEntry[] }

export function addedEntries(files: readonly DataFile[], snapshotId: bigint): readonly ManifestEntry[] {
  return files.map((dataFile) => ({ status: 'added', snapshotId, dataFile }))
}

/** Every manifest of the current snapshot that still holds live entries, read in parallel but bounded. */
export async function loadLiveManifests(
  manifests: readonly ManifestFile[],
  store: ObjectStore,
  readsMax = 8,
): Promise<readonly LiveManifest[]> {
  const live: LiveManifest[] = []
  for (let start = 0; start < manifests.length; start += readsMax) {
    const batch = manifests.slice(start, start + readsMax).map(async (manifest) => {
      const { entries } = decodeManifest(await store.get(manifest.manifestPath))
      return {
        manifest,
        entries: inheritEntries(entries, manifest).filter(({ status }) => status !== 'deleted'),
      }
    })
    live.push(...(await Promise.all(batch)))
  }
  return live.filter(({ entries }) => entries.length > 0)
}

// Spec "Manifest Entry Fields": a DELETED entry carries the snapshot that deleted it and keeps its sequence numbers.
export function deletedEntries(
  entries: readonly ManifestEntry[],
  snapshotId: bigint,
): readonly ManifestEntry[] {
  return entries.map((entry) => ({ ...entry, status: 'deleted', snapshotId }))
}

export function specOf(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata.partitionSpecs.find((candidate) => candidate.specId === specId)
  if (spec !== undefined) return spec
  throw new FloeError(
    'corrupt-data',
    `table metadata of ${metadata.location} has no partition spec ${specId}`,
  )
}

export function schemaOf(metadata: TableMetadata): Schema {
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)
  if (schema !== undefined) return schema
  throw new FloeError(
    'corrupt-data',
    `table metadata of ${metadata.location} has no schema ${metadata.currentSchemaId}`,
  )
}

/** The snapshot that already carries `token`, if the commit it marks has happened. */
export function findCommitted(metadata: TableMetadata, token: string): bigint | undefined {
  return metadata.snapshots.find(({ summary }) => summary?.[commitTokenProperty] === token)?.snapshotId
}

/** Marks the commit of one load in the snapshot's summary and in the table's properties (which outlive snapshots). */
export const commitTokenProperty = 'floe.commit-token'
