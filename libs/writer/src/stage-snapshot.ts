import {
  assignFirstRowIds,
  currentSnapshot,
  decodeManifestList,
  encodeManifestList,
  FloeError,
  snapshotSummary,
} from '@floe/iceberg'
import type { DataFile, ManifestFile, Snapshot } from '@floe/iceberg'
import { metadataFileLocation } from './data-location.ts'
import {
  commitTokenProperty,
  deletedEntries,
  loadLiveManifests,
  schemaOf,
  specOf,
} from './snapshot-change.ts'
import type { CommitComponents, SnapshotCommit } from './snapshot-commit.ts'
import { numberManifests, stageManifests } from './stage-manifests.ts'
import type { StagedFiles } from './staged-files.ts'
import type { WriteSettings } from './write-settings.ts'

type Removed = { readonly manifests: readonly ManifestFile[]; readonly files: readonly DataFile[] }

const nothingRemoved: Removed = { manifests: [], files: [] }

/** Writes the manifest list of one commit attempt on top of `base`; the added manifests are the same for every attempt. */
export async function stageSnapshot(
  commit: SnapshotCommit,
  snapshotId: bigint,
  added: readonly ManifestFile[],
  settings: WriteSettings,
  files: StagedFiles,
  components: CommitComponents,
): Promise<Snapshot> {
  const { target, change } = commit
  const base = commit.base.metadata
  const parent = currentSnapshot(base)
  const inherited = await loadManifestList(commit.table, parent, components)
  const keepsAll = change.kind !== 'replace-all'
  const removed = keepsAll
    ? nothingRemoved
    : await stageRemoved(commit, inherited, snapshotId, settings, files, components)
  const kept = keepsAll ? inherited.filter(isLive) : []
  const sequenceNumber = target.formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n
  const manifests = [...numberManifests([...added, ...removed.manifests], sequenceNumber), ...kept]
  const rowIds = target.formatVersion === 3 ? assignFirstRowIds(manifests, base.nextRowId ?? 0n) : undefined
  const firstRowId = rowIds === undefined ? undefined : (base.nextRowId ?? 0n)
  const manifestList = metadataFileLocation(
    target.location,
    settings,
    `snap-${snapshotId}-1-${components.uuid()}.avro`,
  )
  const bytes = encodeManifestList(rowIds?.files ?? manifests, {
    formatVersion: target.formatVersion,
    snapshotId,
    sequenceNumber,
    parentSnapshotId: parent?.snapshotId,
    ...(firstRowId === undefined ? {} : { firstRowId }),
  })
  await files.put(manifestList, bytes)
  return {
    snapshotId,
    sequenceNumber,
    timestampMs: Math.max(components.clock.now(), base.lastUpdatedMs),
    manifestList,
    schemaId: target.currentSchemaId,
    summary: summaryOf(commit, parent, removed),
    ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
    ...(rowIds === undefined || firstRowId === undefined
      ? {}
      : { firstRowId, addedRows: rowIds.nextRowId - firstRowId }),
  }
}

function summaryOf(
  { change, token, summary }: SnapshotCommit,
  parent: Snapshot | undefined,
  { files }: Removed,
): Readonly<Record<string, string>> {
  return snapshotSummary({
    operation: change.kind === 'append' ? 'append' : 'overwrite',
    parent,
    added: [...change.dataFiles, ...(change.deleteFiles ?? [])],
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
  { base: { metadata }, target }: SnapshotCommit,
  inherited: readonly ManifestFile[],
  snapshotId: bigint,
  settings: WriteSettings,
  files: StagedFiles,
  components: CommitComponents,
): Promise<Removed> {
  const live = await loadLiveManifests(inherited, components.store)
  const manifests: ManifestFile[] = []
  for (const { manifest, entries } of live) {
    const header = {
      schema: schemaOf(metadata),
      spec: specOf(metadata, manifest.partitionSpecId),
      formatVersion: target.formatVersion,
      content: manifest.content,
    }
    const deleted = deletedEntries(entries, snapshotId)
    manifests.push(
      ...(await stageManifests(target, header, deleted, snapshotId, settings, { ...components, files })),
    )
  }
  return { manifests, files: live.flatMap(({ entries }) => entries.map(({ dataFile }) => dataFile)) }
}
