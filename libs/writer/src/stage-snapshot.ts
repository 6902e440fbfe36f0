import { assignFirstRowIds, currentSnapshot, decodeManifestList, encodeManifestList, FloeError, snapshotSummary } from '@floe/iceberg'
import type { DataFile, ManifestFile, Snapshot, TableMetadata } from '@floe/iceberg'
import { metadataFileLocation } from './data-location.ts'
import { commitTokenProperty, deletedEntries, loadLiveManifests, schemaOf, specOf } from './snapshot-change.ts'
import type { CommitComponents, SnapshotCommit } from './snapshot-commit.ts'
import { numberManifests, stageManifests } from './stage-manifests.ts'
import type { WriteSettings } from './write-settings.ts'

/** A snapshot that is durable and invisible, and the files that nothing else refers to should it never be committed. */
export type StagedSnapshot = { readonly snapshot: Snapshot; readonly ownFiles: readonly string[] }

type Removed = { readonly manifests: readonly ManifestFile[]; readonly files: readonly DataFile[] }

const nothingRemoved: Removed = { manifests: [], files: [] }

/** Writes the manifest list of one commit attempt on top of `base`; the added manifests are the same for every attempt. */
export async function stageSnapshot(
  commit: SnapshotCommit,
  snapshotId: bigint,
  added: readonly ManifestFile[],
  settings: WriteSettings,
  components: CommitComponents,
): Promise<StagedSnapshot> {
  const { target, change } = commit
  const base = commit.base.metadata
  const parent = currentSnapshot(base)
  const inherited = await loadManifestList(commit.table, parent, components)
  const removed =
    change.kind === 'append' ? nothingRemoved : await stageRemoved(base, inherited, snapshotId, settings, components)
  const sequenceNumber = target.formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n
  const kept = change.kind === 'append' ? inherited.filter(isLive) : removed.manifests
  const manifests = [...numberManifests(added, sequenceNumber), ...(change.kind === 'append' ? kept : numberManifests(kept, sequenceNumber))]
  const rowIds = target.formatVersion === 3 ? assignFirstRowIds(manifests, base.nextRowId ?? 0n) : undefined
  const firstRowId = rowIds === undefined ? undefined : (base.nextRowId ?? 0n)
  const manifestList = metadataFileLocation(target.location, settings, `snap-${snapshotId}-1-${components.uuid()}.avro`)
  const bytes = encodeManifestList(rowIds?.files ?? manifests, {
    formatVersion: target.formatVersion,
    snapshotId,
    sequenceNumber,
    parentSnapshotId: parent?.snapshotId,
    ...(firstRowId === undefined ? {} : { firstRowId }),
  })
  await components.store.put(manifestList, bytes)
  const snapshot: Snapshot = {
    snapshotId,
    sequenceNumber,
    timestampMs: Math.max(components.clock.now(), base.lastUpdatedMs),
    manifestList,
    schemaId: target.currentSchemaId,
    summary: summaryOf(commit, parent, removed),
    ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
    ...(rowIds === undefined || firstRowId === undefined ? {} : { firstRowId, addedRows: rowIds.nextRowId - firstRowId }),
  }
  return { snapshot, ownFiles: [manifestList, ...removed.manifests.map(({ manifestPath }) => manifestPath)] }
}

function summaryOf(
  { change, token, summary }: SnapshotCommit,
  parent: Snapshot | undefined,
  { files }: Removed,
): Readonly<Record<string, string>> {
  return snapshotSummary({
    operation: change.kind === 'append' ? 'append' : 'overwrite',
    parent,
    added: change.dataFiles,
    removed: files,
    properties: { ...summary, [commitTokenProperty]: token },
  })
}

async function loadManifestList(
  table: string,
  snapshot: Snapshot | undefined,
  { store }: CommitComponents,
): Promise<readonly ManifestFile[]> {
  if (snapshot === undefined) return []
  if (snapshot.manifestList !== undefined) return decodeManifestList(await store.get(snapshot.manifestList))
  throw new FloeError('unsupported', `snapshot ${snapshot.snapshotId} of ${table} has no manifest list`, {
    hint: 'rewrite the table once with a writer that makes manifest lists',
  })
}

// Counts are absent in lists of old writers: such a manifest is kept.
function isLive({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount !== 0 || existingFilesCount !== 0
}

async function stageRemoved(
  metadata: TableMetadata,
  inherited: readonly ManifestFile[],
  snapshotId: bigint,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Removed> {
  const live = await loadLiveManifests(inherited, components.store)
  const manifests: ManifestFile[] = []
  for (const { manifest, entries } of live) {
    const header = {
      schema: schemaOf(metadata),
      spec: specOf(metadata, manifest.partitionSpecId),
      formatVersion: metadata.formatVersion,
      content: manifest.content,
    }
    const deleted = deletedEntries(entries, snapshotId)
    manifests.push(...(await stageManifests(metadata, header, deleted, snapshotId, settings, components)))
  }
  return { manifests, files: live.flatMap(({ entries }) => entries.map(({ dataFile }) => dataFile)) }
}
