import { applyLayoutUpdate } from './apply-update-layout.ts'
import { applySnapshotUpdate } from './apply-update-snapshot.ts'
import { CommitHistory, emptyTableMetadata, type Draft } from './apply-update-draft.ts'
import { FloeError } from './error.ts'
import { checkSortOrder, checkSpec } from './schema-fit.ts'
import {
  currentSchema,
  defaultFormatVersion,
  defaultSortOrder,
  defaultSpec,
  type TableMetadata,
} from './table-metadata.ts'
import type { TableUpdate } from './table-update.ts'

/** Clock skew between writers that is not an error, as in Java. */
export const clockSkewMaxMs = 60_000

const previousVersionsProperty = 'write.metadata.previous-versions-max'
const previousVersionsMaxDefault = 100

export type ApplyOptions = {
  readonly nowMs: number
  /** Location of the metadata that `base` was read from; it enters the metadata log. */
  readonly previousMetadataLocation?: string | undefined
}

/**
 * Applies the updates of one commit in their order, with the meaning that Java's `TableMetadata.Builder` gives them.
 * @param base  `undefined` for a table that the commit creates
 * @returns `base` itself when nothing changes
 * @throws FloeError invalid-input; commit-conflict (retryable) when sequence number or first row id were overtaken
 */
export function applyTableUpdates(
  base: TableMetadata | undefined,
  updates: readonly TableUpdate[],
  options: ApplyOptions,
): TableMetadata {
  const start = base ?? emptyTableMetadata(requestedVersion(updates), options.nowMs)
  let draft: Draft = {
    metadata: start,
    nowMs: Math.max(options.nowMs, start.lastUpdatedMs),
    history: new CommitHistory(),
  }
  for (const update of withJoinedRemovals(updates)) draft = applyUpdate(draft, update)
  if (draft.metadata === base) return base
  const finished = finishDraft(draft, base, options)
  checkResult(finished, start.snapshotLog.length)
  return finished
}

/** Clients remove many snapshots one by one: each removal looks at all snapshots, all of them together look once. */
function withJoinedRemovals(updates: readonly TableUpdate[]): readonly TableUpdate[] {
  const joined: TableUpdate[] = []
  let removed: bigint[] = []
  for (const update of updates) {
    if (update.action !== 'remove-snapshots') {
      removed = []
      joined.push(update)
      continue
    }
    if (removed.length === 0) {
      removed = [...update.snapshotIds]
      joined.push({ action: 'remove-snapshots', snapshotIds: removed })
    } else removed.push(...update.snapshotIds)
  }
  return joined
}

function applyUpdate(draft: Draft, update: TableUpdate): Draft {
  switch (update.action) {
    case 'add-snapshot':
    case 'set-snapshot-ref':
    case 'remove-snapshots':
    case 'remove-snapshot-ref':
    case 'set-statistics':
    case 'remove-statistics':
    case 'set-partition-statistics':
    case 'remove-partition-statistics':
      return applySnapshotUpdate(draft, update)
    default:
      return applyLayoutUpdate(draft, update)
  }
}

/** A table that starts at v3 must not pass v2 on its way: it would have no row ids. */
function requestedVersion(updates: readonly TableUpdate[]): TableMetadata['formatVersion'] {
  const update = updates.find((candidate) => candidate.action === 'upgrade-format-version')
  return update?.formatVersion ?? defaultFormatVersion
}

function finishDraft(draft: Draft, base: TableMetadata | undefined, options: ApplyOptions): TableMetadata {
  const { metadata } = draft
  return {
    ...metadata,
    lastUpdatedMs: draft.nowMs,
    snapshotLog: withoutIntermediate(draft),
    metadataLog:
      base === undefined || options.previousMetadataLocation === undefined
        ? metadata.metadataLog
        : nextMetadataLog(metadata, base.lastUpdatedMs, options.previousMetadataLocation),
  }
}

/** Snapshots that one commit adds to main and passes again were never current for any reader. */
function withoutIntermediate({ metadata, history }: Draft): TableMetadata['snapshotLog'] {
  const { snapshotLog, currentSnapshotId } = metadata
  const { addedSnapshotIds } = history
  if (addedSnapshotIds.size === 0) return snapshotLog
  return snapshotLog.filter(
    ({ snapshotId }) => snapshotId === currentSnapshotId || !addedSnapshotIds.has(snapshotId),
  )
}

function nextMetadataLog(
  metadata: TableMetadata,
  timestampMs: number,
  metadataFile: string,
): TableMetadata['metadataLog'] {
  const text = metadata.properties[previousVersionsProperty]
  const max = text !== undefined && /^\d+$/.test(text) ? Number(text) : previousVersionsMaxDefault
  return [...metadata.metadataLog, { timestampMs, metadataFile }].slice(-Math.max(1, max))
}

function checkResult(metadata: TableMetadata, oldLogLength: number): void {
  if (metadata.schemas.length === 0) throw incomplete('schema')
  if (metadata.partitionSpecs.length === 0) throw incomplete('partition spec')
  if (metadata.sortOrders.length === 0) throw incomplete('sort order')
  if (metadata.location === '') throw incomplete('location')
  if (metadata.tableUuid === '' && metadata.formatVersion > 1) throw incomplete('uuid')
  const schema = currentSchema(metadata)
  checkSpec(defaultSpec(metadata), schema)
  checkSortOrder(defaultSortOrder(metadata), schema)
  checkLogTimes(metadata, oldLogLength)
}

function incomplete(what: string): FloeError {
  return new FloeError('invalid-input', `the commit creates a table without a ${what}`, {
    hint: 'send every part of a new table in one commit',
  })
}

/** New entries of the snapshot log may go back, and ahead of the catalog, by at most the clock skew. */
function checkLogTimes({ snapshotLog, lastUpdatedMs }: TableMetadata, oldLength: number): void {
  snapshotLog.forEach((entry, at) => {
    if (at < oldLength) return
    const before = snapshotLog[at - 1]?.timestampMs ?? entry.timestampMs
    if (entry.timestampMs - before < -clockSkewMaxMs || lastUpdatedMs - entry.timestampMs < -clockSkewMaxMs) {
      throw new FloeError(
        'invalid-input',
        `snapshot ${entry.snapshotId} has timestamp ${entry.timestampMs}, more than ${clockSkewMaxMs} ms off: the history ends at ${before}, the catalog's clock is at ${lastUpdatedMs}`,
        { hint: 'set the clock of the writer' },
      )
    }
  })
}
