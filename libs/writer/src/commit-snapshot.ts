import { buildSnapshotSummary, decodeManifestList, encodeManifestList, FloeError, toFloeError } from '@floe/iceberg'
import type { ManifestFile, Snapshot, TableMetadata, TableRequirement, TableUpdate } from '@floe/iceberg'
import type { Pool } from '@floe/compute'
import type { ObjectStore } from '@floe/storage'
import { metadataFileLocation } from './data-location.ts'
import { commitTokenProperty, findCommitted, parentOf, schemaOf, specOf } from './snapshot-change.ts'
import { addedEntries, deletedEntries, loadLiveManifests } from './snapshot-change.ts'
import type { SnapshotChange } from './snapshot-change.ts'
import { stageManifests } from './stage-manifests.ts'
import { parseWriteSettings } from './write-settings.ts'
import type { WriteSettings } from './write-settings.ts'

/** The table as the catalog showed it: `metadataLocation` is absent for a staged create. */
export type TableState = { readonly metadata: TableMetadata; readonly metadataLocation: string | undefined }

/** What the writer calls of a catalog, for one table. */
export interface CommitTarget {
  load(): Promise<TableState>
  /** Throws `commit-conflict`, `already-exists` or `commit-state-unknown`. */
  commit(requirements: readonly TableRequirement[], updates: readonly TableUpdate[]): Promise<TableState>
}

export type SnapshotCommit = {
  /** Name for messages, such as `shop.orders`. */
  readonly table: string
  readonly base: TableState
  readonly change: SnapshotChange
  /** The table with the schema, spec and properties that the snapshot is written with. */
  readonly target: TableMetadata
  /** Metadata changes that become visible together with the snapshot. */
  readonly updates: readonly TableUpdate[]
  readonly token: string
  readonly summary?: Readonly<Record<string, string>>
}

export type CommitComponents = {
  readonly catalog: CommitTarget
  readonly store: ObjectStore
  readonly clock: { now(): number }
  readonly uuid: () => string
  /** A positive 63-bit id that the table has not used. */
  readonly newSnapshotId: () => bigint
  readonly sleep: (ms: number) => Promise<void>
  readonly pool?: Pool
}

export type CommittedSnapshot = {
  readonly state: TableState
  readonly snapshot: Snapshot
  readonly attempts: number
}

type Staged = { readonly snapshot: Snapshot; readonly manifestList: string }

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
  const removable = new Set(added.map(({ manifestPath }) => manifestPath))
  let base = commit.base
  try {
    for (let attempt = 1; ; attempt++) {
      const staged = await stageSnapshot({ ...commit, base }, snapshotId, added, settings, components, removable)
      try {
        const state = await components.catalog.commit(requirementsOf(base), updatesOf(commit, staged))
        return { state, snapshot: staged.snapshot, attempts: attempt }
      } catch (error) {
        const settled = await settleFailure(commit, toFloeError(error), attempt, settings, components)
        if (settled.kind === 'committed') return { ...settled, attempts: attempt }
        base = settled.state
      }
    }
  } catch (error) {
    const floe = toFloeError(error)
    if (floe.code !== 'commit-state-unknown') await components.store.delete([...removable]).catch(() => undefined)
    throw floe
  }
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

async function stageSnapshot(
  { base, target, change, token, summary, table }: SnapshotCommit,
  snapshotId: bigint,
  added: readonly ManifestFile[],
  settings: WriteSettings,
  components: CommitComponents,
  removable: Set<string>,
): Promise<Staged> {
  const { store, clock, uuid } = components
  const parent = parentOf(base.metadata)
  const inherited = parent?.manifestList === undefined ? [] : decodeManifestList(await store.get(parent.manifestList))
  if (parent !== undefined && parent.manifestList === undefined) {
    throw new FloeError('unsupported', `snapshot ${parent.snapshotId} of ${table} has no manifest list`, {
      hint: 'rewrite the table with a writer of format version 2 first',
    })
  }
  const removed =
    change.kind === 'append' ? undefined : await stageRemoved(base.metadata, inherited, snapshotId, settings, components)
  for (const { manifestPath } of removed?.manifests ?? []) removable.add(manifestPath)
  const manifests = [...added, ...(removed?.manifests ?? inherited.filter(isLive))]
  const sequenceNumber = target.formatVersion === 1 ? 0n : base.metadata.lastSequenceNumber + 1n
  const firstRowId = target.formatVersion === 3 ? (base.metadata.nextRowId ?? 0n) : undefined
  const manifestList = metadataFileLocation(target.location, settings, `snap-${snapshotId}-1-${uuid()}.avro`)
  const bytes = encodeManifestList(manifests, {
    formatVersion: target.formatVersion,
    snapshotId,
    sequenceNumber,
    ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
    ...(firstRowId === undefined ? {} : { firstRowId }),
  })
  await store.put(manifestList, bytes)
  removable.add(manifestList)
  const operation = change.kind === 'append' ? 'append' : 'overwrite'
  const addedRows = change.dataFiles.reduce((sum, { recordCount }) => sum + BigInt(recordCount), 0n)
  return {
    manifestList,
    snapshot: {
      snapshotId,
      sequenceNumber,
      timestampMs: Math.max(clock.now(), base.metadata.lastUpdatedMs),
      manifestList,
      schemaId: target.currentSchemaId,
      summary: buildSnapshotSummary({
        operation,
        added: change.dataFiles,
        removed: removed?.files ?? [],
        ...(parent?.summary === undefined ? {} : { previous: parent.summary }),
        properties: { ...summary, [commitTokenProperty]: token },
      }),
      ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
      ...(firstRowId === undefined ? {} : { firstRowId, addedRows }),
    },
  }
}

function isLive({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount !== 0 || existingFilesCount !== 0
}

async function stageRemoved(
  metadata: TableMetadata,
  inherited: readonly ManifestFile[],
  snapshotId: bigint,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<{ readonly manifests: readonly ManifestFile[]; readonly files: readonly import('@floe/iceberg').DataFile[] }> {
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

function requirementsOf({ metadata, metadataLocation }: TableState): readonly TableRequirement[] {
  if (metadataLocation === undefined) return [{ type: 'assert-create' }]
  const snapshotId = metadata.currentSnapshotId
  return [
    { type: 'assert-table-uuid', uuid: metadata.tableUuid },
    { type: 'assert-current-schema-id', currentSchemaId: metadata.currentSchemaId },
    { type: 'assert-default-spec-id', defaultSpecId: metadata.defaultSpecId },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId },
  ]
}

function updatesOf({ updates, token }: SnapshotCommit, { snapshot }: Staged): readonly TableUpdate[] {
  return [
    ...updates,
    { action: 'set-properties', updates: { [commitTokenProperty]: token } },
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: snapshot.snapshotId, type: 'branch' } },
  ]
}

type Settled =
  | { readonly kind: 'committed'; readonly state: TableState; readonly snapshot: Snapshot }
  | { readonly kind: 'retry'; readonly state: TableState }

/** Decides what a failed commit means: it happened after all, it can be tried on the new head, or it is an error. */
async function settleFailure(
  commit: SnapshotCommit,
  error: FloeError,
  attempt: number,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Settled> {
  if (error.code === 'commit-state-unknown') return settleUnknown(commit, error, settings, components)
  const isRace = error.code === 'commit-conflict' && commit.base.metadataLocation !== undefined
  if (!isRace || attempt > settings.commitRetriesMax) throw error
  const delay = Math.min(settings.commitRetryDelayMsMax, settings.commitRetryDelayMsMin * 2 ** (attempt - 1))
  await components.sleep(delay)
  const state = await components.catalog.load()
  assertRetryable(commit, state)
  return { kind: 'retry', state }
}

async function settleUnknown(
  { table, token }: SnapshotCommit,
  error: FloeError,
  settings: WriteSettings,
  { catalog, sleep }: CommitComponents,
): Promise<Settled> {
  for (let check = 0; check <= settings.commitStatusChecksMax; check++) {
    if (check > 0) await sleep(settings.commitRetryDelayMsMin * 2 ** check)
    const state = await catalog.load().catch(() => undefined)
    const snapshotId = state === undefined ? undefined : findCommitted(state.metadata, token)
    const snapshot = state?.metadata.snapshots.find((candidate) => candidate.snapshotId === snapshotId)
    if (state !== undefined && snapshot !== undefined) return { kind: 'committed', state, snapshot }
  }
  throw new FloeError('commit-state-unknown', `the commit to ${table} may or may not have happened`, {
    hint: `look for ${commitTokenProperty}=${token} in the summaries of its snapshots before loading again`,
    cause: error,
  })
}

/** Files are written for one schema and one spec: a head that changed either cannot take them unseen. */
function assertRetryable({ base, table }: SnapshotCommit, head: TableState): void {
  const before = base.metadata
  const now = head.metadata
  const what =
    before.tableUuid !== now.tableUuid
      ? 'was dropped and made again'
      : before.currentSchemaId !== now.currentSchemaId
        ? 'has got another schema'
        : before.defaultSpecId !== now.defaultSpecId
          ? 'has got another partition spec'
          : undefined
  if (what === undefined) return
  throw new FloeError('commit-conflict', `${table} ${what} while its data was being written`, {
    hint: 'load again: the files of this load do not fit the table as it is',
  })
}
