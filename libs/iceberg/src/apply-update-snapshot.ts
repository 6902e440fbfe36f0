import { changeDraft, type Draft } from './apply-update-draft.ts'
import { FloeError } from './error.ts'
import { toLong } from './json-long.ts'
import { jsonEqual, type JsonObject } from './json.ts'
import { mainBranch, snapshotRefToJson, type Snapshot, type SnapshotRef } from './snapshot.ts'
import { findRef, type TableMetadata } from './table-metadata.ts'
import type { TableUpdate } from './table-update.ts'

export type SnapshotUpdate = Extract<
  TableUpdate,
  {
    action:
      | 'add-snapshot'
      | 'set-snapshot-ref'
      | 'remove-snapshots'
      | 'remove-snapshot-ref'
      | 'set-statistics'
      | 'remove-statistics'
      | 'set-partition-statistics'
      | 'remove-partition-statistics'
  }
>

/** Applies an update of snapshots, refs, or of the statistics that hang on snapshots. */
export function applySnapshotUpdate(draft: Draft, update: SnapshotUpdate): Draft {
  const { statistics, partitionStatistics } = draft.metadata
  switch (update.action) {
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot)
    case 'set-snapshot-ref':
      return setRef(draft, update.refName, update.ref)
    case 'remove-snapshot-ref':
      return removeRef(draft, update.refName)
    case 'remove-snapshots':
      return removeSnapshots(draft, new Set(update.snapshotIds))
    case 'set-statistics': {
      const others = withoutSnapshots(statistics, new Set([snapshotIdOf(update.statistics)]))
      return changeDraft(draft, { statistics: [...others, update.statistics] })
    }
    case 'remove-statistics': {
      const kept = withoutSnapshots(statistics, new Set([update.snapshotId]))
      return kept === statistics ? draft : changeDraft(draft, { statistics: kept })
    }
    case 'set-partition-statistics': {
      const others = withoutSnapshots(
        partitionStatistics,
        new Set([snapshotIdOf(update.partitionStatistics)]),
      )
      return changeDraft(draft, { partitionStatistics: [...others, update.partitionStatistics] })
    }
    case 'remove-partition-statistics': {
      const kept = withoutSnapshots(partitionStatistics, new Set([update.snapshotId]))
      return kept === partitionStatistics ? draft : changeDraft(draft, { partitionStatistics: kept })
    }
  }
}

function addSnapshot(draft: Draft, snapshot: Snapshot): Draft {
  const { history, metadata } = draft
  checkReady(metadata)
  if (history.findSnapshot(metadata, snapshot.snapshotId) !== undefined) {
    throw new FloeError('invalid-input', `snapshot ${snapshot.snapshotId} already exists`)
  }
  checkSequenceNumber(metadata, snapshot)
  const { sequenceNumber } = snapshot
  const numbers = {
    lastSequenceNumber:
      sequenceNumber > metadata.lastSequenceNumber ? sequenceNumber : metadata.lastSequenceNumber,
    ...(metadata.formatVersion === 3
      ? { nextRowId: nextRowIdAfter(metadata.nextRowId ?? 0n, snapshot) }
      : {}),
  }
  return changeDraft(draft, { ...numbers, snapshots: history.addSnapshot(metadata.snapshots, snapshot) })
}

function checkReady({ schemas, partitionSpecs, sortOrders }: TableMetadata): void {
  if (schemas.length > 0 && partitionSpecs.length > 0 && sortOrders.length > 0) return
  throw new FloeError('invalid-input', 'add a schema, a partition spec and a sort order before a snapshot')
}

function checkSequenceNumber(metadata: TableMetadata, { sequenceNumber, parentSnapshotId }: Snapshot): void {
  if (metadata.formatVersion === 1) {
    if (sequenceNumber === 0n) return
    throw new FloeError('invalid-input', `sequence number must be 0 in a v1 table, not ${sequenceNumber}`)
  }
  // Java takes any number for a snapshot without parent: a table that is replaced starts anew.
  if (sequenceNumber > metadata.lastSequenceNumber || parentSnapshotId === undefined) return
  throw overtaken(
    `cannot add snapshot with sequence number ${sequenceNumber} older than last sequence number ${metadata.lastSequenceNumber}`,
  )
}

/** Spec "Row Lineage": ids are taken even when the snapshot is not on main. */
function nextRowIdAfter(nextRowId: bigint, { firstRowId, addedRows, snapshotId }: Snapshot): bigint {
  if (firstRowId === undefined || addedRows === undefined || addedRows < 0n) {
    throw new FloeError(
      'invalid-input',
      `snapshot ${snapshotId} needs first-row-id and added-rows in a v3 table`,
    )
  }
  if (firstRowId >= nextRowId) return firstRowId + addedRows
  throw overtaken(
    `cannot add a snapshot, first-row-id is behind table next-row-id: ${firstRowId} < ${nextRowId}`,
  )
}

function overtaken(message: string): FloeError {
  return new FloeError('commit-conflict', message, {
    retryable: true,
    hint: 'another commit came first: take the new numbers from the reloaded table and try again',
  })
}

function setRef(draft: Draft, name: string, ref: SnapshotRef): Draft {
  const { metadata } = draft
  const old = findRef(metadata, name)
  const next: SnapshotRef = old?.extra === undefined ? ref : { ...ref, extra: { ...old.extra, ...ref.extra } }
  if (old !== undefined && jsonEqual(snapshotRefToJson(old), snapshotRefToJson(next))) return draft
  const snapshot = draft.history.findSnapshot(metadata, ref.snapshotId)
  if (snapshot === undefined) {
    throw new FloeError('invalid-input', `cannot set ${name} to unknown snapshot ${ref.snapshotId}`)
  }
  if (name === mainBranch && ref.type !== 'branch') {
    throw new FloeError('invalid-input', `cannot set ${mainBranch} to a tag, it must be a branch`)
  }
  const change = changeDraft(draft, { refs: draft.history.changeRef(metadata.refs, name, next) })
  return name === mainBranch ? moveMain(change, snapshot) : change
}

function moveMain(draft: Draft, { snapshotId, timestampMs }: Snapshot): Draft {
  // Rolling back happens now, whenever the snapshot was made.
  const time = draft.history.addedSnapshotIds.has(snapshotId) ? timestampMs : draft.nowMs
  return changeDraft(draft, {
    currentSnapshotId: snapshotId,
    snapshotLog: draft.history.append(draft.metadata.snapshotLog, { timestampMs: time, snapshotId }),
  })
}

function removeRef(draft: Draft, name: string): Draft {
  if (findRef(draft.metadata, name) === undefined) return draft
  const refs = draft.history.changeRef(draft.metadata.refs, name, undefined)
  if (name !== mainBranch) return changeDraft(draft, { refs })
  const { currentSnapshotId: _, ...rest } = draft.metadata
  return { ...draft, metadata: { ...rest, refs } }
}

function removeSnapshots(draft: Draft, ids: ReadonlySet<bigint>): Draft {
  const { metadata } = draft
  const snapshots = metadata.snapshots.filter((snapshot) => !ids.has(snapshot.snapshotId))
  if (snapshots.length === metadata.snapshots.length) return draft
  const left = new Set(snapshots.map((snapshot) => snapshot.snapshotId))
  const change = changeDraft(draft, {
    snapshots,
    snapshotLog: unbrokenHistory(metadata.snapshotLog, left),
    statistics: withoutSnapshots(metadata.statistics, ids),
    partitionStatistics: withoutSnapshots(metadata.partitionStatistics, ids),
  })
  const dangling = Object.entries(metadata.refs).filter(([, ref]) => !left.has(ref.snapshotId))
  return dangling.reduce((next, [name]) => removeRef(next, name), change)
}

/**
 * Entries after the last one whose snapshot is gone. With a gap left out, the entry before it would seem current for
 * longer than it was, and time travel would read the wrong snapshot.
 */
function unbrokenHistory(
  log: TableMetadata['snapshotLog'],
  left: ReadonlySet<bigint>,
): TableMetadata['snapshotLog'] {
  return log.slice(log.findLastIndex(({ snapshotId }) => !left.has(snapshotId)) + 1)
}

function withoutSnapshots(files: readonly JsonObject[], ids: ReadonlySet<bigint>): readonly JsonObject[] {
  const kept = files.filter((file) => !ids.has(snapshotIdOf(file)))
  return kept.length === files.length ? files : kept
}

function snapshotIdOf(file: JsonObject): bigint {
  return toLong(file['snapshot-id'], 'statistics: "snapshot-id"')
}
