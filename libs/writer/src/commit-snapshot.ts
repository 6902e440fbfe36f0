import { mainBranch, toFloeError } from '@floe/iceberg'
import type { DataFile, ManifestFile, Snapshot, TableRequirement, TableUpdate } from '@floe/iceberg'
import { settleCommit } from './settle-commit.ts'
import type { Settled } from './settle-commit.ts'
import { addedEntries, commitTokenProperty, schemaOf, specOf } from './snapshot-change.ts'
import type { CommitComponents, CommittedSnapshot, SnapshotCommit } from './snapshot-commit.ts'
import { addsSortOrder } from './snapshot-commit.ts'
import { stageManifests } from './stage-manifests.ts'
import { stageSnapshot } from './stage-snapshot.ts'
import { StagedFiles } from './staged-files.ts'
import { parseWriteSettings } from './write-settings.ts'
import type { WriteSettings } from './write-settings.ts'

/**
 * Makes data files visible as one snapshot on `main`, together with the metadata updates, or not at all.
 *
 * A lost race is retried on the new head (`commit.retry.*`): data files and their manifests stay, only the manifest list
 * is made again. After an unknown outcome the token is looked for, and nothing is removed unless it is certain that the
 * commit did not happen. Data files are the caller's to remove after any error but `commit-state-unknown`.
 * @throws `already-exists` when the table of a staged create has been made by somebody else
 */
export async function commitSnapshot(
  commit: SnapshotCommit,
  components: CommitComponents,
): Promise<CommittedSnapshot> {
  const settings = parseWriteSettings(commit.target.properties)
  const snapshotId = components.newSnapshotId()
  return removingAfterFailure(new StagedFiles(components.store), async (files) => {
    const added = await stageAdded(commit, snapshotId, settings, files, components)
    let base = commit.base
    for (let attempt = 1; ; attempt++) {
      const outcome = await tryCommit({ ...commit, base }, snapshotId, added, attempt, settings, components)
      if (outcome.kind === 'committed')
        return { state: outcome.state, snapshot: outcome.snapshot, attempts: attempt }
      base = outcome.state
    }
  })
}

/** Runs one attempt. What it alone has written is removed, unless its snapshot is in the table or may be. */
function tryCommit(
  commit: SnapshotCommit,
  snapshotId: bigint,
  added: readonly ManifestFile[],
  attempt: number,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Settled> {
  return removingAfterFailure(new StagedFiles(components.store), async (files) => {
    const snapshot = await stageSnapshot(commit, snapshotId, added, settings, files, components)
    const outcome = await commitStaged(commit, snapshot, attempt, settings, components)
    if (outcome.kind === 'retry') await files.removeAll()
    return outcome
  })
}

async function commitStaged(
  commit: SnapshotCommit,
  snapshot: Snapshot,
  attempt: number,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Settled> {
  try {
    const state = await components.catalog.commit(requirementsOf(commit), updatesOf(commit, snapshot))
    return { kind: 'committed', state, snapshot }
  } catch (error) {
    return settleCommit(commit, toFloeError(error), attempt, settings, components)
  }
}

async function removingAfterFailure<T>(
  files: StagedFiles,
  work: (files: StagedFiles) => Promise<T>,
): Promise<T> {
  try {
    return await work(files)
  } catch (error) {
    if (toFloeError(error).code !== 'commit-state-unknown') await files.removeAll()
    throw error
  }
}

async function stageAdded(
  { target, change: { dataFiles, deleteFiles = [] } }: SnapshotCommit,
  snapshotId: bigint,
  settings: WriteSettings,
  files: StagedFiles,
  components: CommitComponents,
): Promise<readonly ManifestFile[]> {
  const stage = async (content: 'data' | 'deletes', added: readonly DataFile[]) => {
    const [first] = added
    if (first === undefined) return []
    const spec = specOf(target, content === 'data' ? target.defaultSpecId : first.specId)
    const header = { schema: schemaOf(target), spec, formatVersion: target.formatVersion, content }
    const entries = addedEntries(added, snapshotId)
    return stageManifests(target, header, entries, snapshotId, settings, { ...components, files })
  }
  return [...(await stage('data', dataFiles)), ...(await stage('deletes', deleteFiles))]
}

function requirementsOf(commit: SnapshotCommit): readonly TableRequirement[] {
  const { metadata, metadataLocation } = commit.base
  if (metadataLocation === undefined) return [{ type: 'assert-create' }]
  return [
    { type: 'assert-table-uuid', uuid: metadata.tableUuid },
    { type: 'assert-current-schema-id', currentSchemaId: metadata.currentSchemaId },
    { type: 'assert-default-spec-id', defaultSpecId: metadata.defaultSpecId },
    ...(addsSortOrder(commit)
      ? [
          {
            type: 'assert-default-sort-order-id',
            defaultSortOrderId: metadata.defaultSortOrderId,
          } as const,
        ]
      : []),
    { type: 'assert-ref-snapshot-id', ref: mainBranch, snapshotId: metadata.currentSnapshotId },
  ]
}

function updatesOf({ updates, token }: SnapshotCommit, snapshot: Snapshot): readonly TableUpdate[] {
  return [
    ...updates,
    { action: 'set-properties', updates: { [commitTokenProperty]: token } },
    { action: 'add-snapshot', snapshot },
    {
      action: 'set-snapshot-ref',
      refName: mainBranch,
      ref: { snapshotId: snapshot.snapshotId, type: 'branch' },
    },
  ]
}
