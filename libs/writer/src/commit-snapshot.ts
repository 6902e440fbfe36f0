import { toFloeError } from '@floe/iceberg'
import type { ManifestFile, Snapshot, TableRequirement, TableUpdate } from '@floe/iceberg'
import { settleCommit } from './settle-commit.ts'
import { addedEntries, commitTokenProperty, schemaOf, specOf } from './snapshot-change.ts'
import type { CommitComponents, CommittedSnapshot, SnapshotCommit, TableState } from './snapshot-commit.ts'
import { stageManifests } from './stage-manifests.ts'
import { stageSnapshot } from './stage-snapshot.ts'
import { parseWriteSettings } from './write-settings.ts'
import type { WriteSettings } from './write-settings.ts'

/**
 * Makes data files visible as one snapshot on `main`, together with the metadata updates, or not at all.
 *
 * A lost race is retried on the new head (`commit.retry.*`): data files and their manifests stay, only the manifest list
 * is made again. After an unknown outcome the token is looked for, and nothing is removed unless it is certain that the
 * commit did not happen. Data files are the caller's to remove after any error but `commit-state-unknown`.
 */
export async function commitSnapshot(commit: SnapshotCommit, components: CommitComponents): Promise<CommittedSnapshot> {
  const settings = parseWriteSettings(commit.target.properties)
  const snapshotId = components.newSnapshotId()
  const added = await stageAdded(commit, snapshotId, settings, components)
  let base = commit.base
  try {
    for (let attempt = 1; ; attempt++) {
      const outcome = await tryCommit({ ...commit, base }, snapshotId, added, attempt, settings, components)
      if (outcome.kind === 'committed') return { ...outcome, attempts: attempt }
      base = outcome.state
    }
  } catch (error) {
    const manifests = added.map(({ manifestPath }) => manifestPath)
    if (toFloeError(error).code !== 'commit-state-unknown') await removeFiles(manifests, components)
    throw error
  }
}

type Outcome = Awaited<ReturnType<typeof settleCommit>>

async function tryCommit(
  commit: SnapshotCommit,
  snapshotId: bigint,
  added: readonly ManifestFile[],
  attempt: number,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Outcome> {
  const { snapshot, ownFiles } = await stageSnapshot(commit, snapshotId, added, settings, components)
  try {
    const state = await components.catalog.commit(requirementsOf(commit.base), updatesOf(commit, snapshot))
    return { kind: 'committed', state, snapshot }
  } catch (error) {
    const floe = toFloeError(error)
    // The list of a lost race is nobody's; one whose fate is unknown may be the table's.
    if (floe.code !== 'commit-state-unknown') await removeFiles(ownFiles, components)
    return settleCommit(commit, floe, attempt, settings, components)
  }
}

async function removeFiles(files: readonly string[], { store }: CommitComponents): Promise<void> {
  // Best effort: the error that led here matters more, and orphans are found by their absence from every snapshot.
  await store.delete(files).catch(() => undefined)
}

async function stageAdded(
  { target, change }: SnapshotCommit,
  snapshotId: bigint,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<readonly ManifestFile[]> {
  if (change.dataFiles.length === 0) return []
  const spec = specOf(target, target.defaultSpecId)
  const header = { schema: schemaOf(target), spec, formatVersion: target.formatVersion, content: 'data' } as const
  const entries = addedEntries(change.dataFiles, snapshotId)
  return stageManifests(target, header, entries, snapshotId, settings, components)
}

function requirementsOf({ metadata, metadataLocation }: TableState): readonly TableRequirement[] {
  if (metadataLocation === undefined) return [{ type: 'assert-create' }]
  return [
    { type: 'assert-table-uuid', uuid: metadata.tableUuid },
    { type: 'assert-current-schema-id', currentSchemaId: metadata.currentSchemaId },
    { type: 'assert-default-spec-id', defaultSpecId: metadata.defaultSpecId },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: metadata.currentSnapshotId },
  ]
}

function updatesOf({ updates, token }: SnapshotCommit, snapshot: Snapshot): readonly TableUpdate[] {
  return [
    ...updates,
    { action: 'set-properties', updates: { [commitTokenProperty]: token } },
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: snapshot.snapshotId, type: 'branch' } },
  ]
}
