import {
  currentSchema,
  currentSnapshot,
  findRef,
  FloeError,
  mainBranch,
  snapshotAsOf,
  snapshotById,
  snapshotByRef,
} from '@floe/iceberg'
import type { Schema, Snapshot, TableMetadata } from '@floe/iceberg'

/** Which version of a table to read. A timestamp follows the history of `main`, never the heads of side branches. */
export type SnapshotSelector =
  | { readonly kind: 'current' }
  | { readonly kind: 'id'; readonly snapshotId: bigint }
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'timestamp'; readonly timestampMs: number }

/** Snapshot ids that an error lists at most. */
const listedSnapshotsMax = 5

export type ResolveOptions = {
  /** Times after this are refused: what a table will be then is not known. No check when absent. */
  readonly nowMs?: number
}

/**
 * The snapshot to read; `undefined` only for a table without data.
 * @throws FloeError not-found for unknown ids, refs and times before the first snapshot; invalid-input for the future
 */
export function resolveSnapshot(
  metadata: TableMetadata,
  selector: SnapshotSelector,
  options: ResolveOptions = {},
): Snapshot | undefined {
  switch (selector.kind) {
    case 'current':
      return currentSnapshot(metadata)
    case 'id':
      return snapshotById(metadata, selector.snapshotId) ?? unknownSnapshot(metadata, selector.snapshotId)
    case 'ref':
      return snapshotByRef(metadata, selector.name)
    case 'timestamp':
      refuseFuture(metadata, selector.timestampMs, options.nowMs)
      return snapshotAsOf(metadata, selector.timestampMs)
  }
}

function unknownSnapshot({ location, snapshots }: TableMetadata, snapshotId: bigint): never {
  const newest = snapshots.slice(-listedSnapshotsMax).map((snapshot) => String(snapshot.snapshotId))
  throw new FloeError('not-found', `no snapshot ${snapshotId} in the table at ${location}`, {
    hint:
      newest.length === 0
        ? 'the table has no snapshots'
        : `it may have expired; the newest are ${newest.join(', ')}`,
  })
}

function refuseFuture({ location }: TableMetadata, timestampMs: number, nowMs: number | undefined): void {
  if (nowMs === undefined || timestampMs <= nowMs) return
  const time = new Date(timestampMs).toISOString()
  throw new FloeError(
    'invalid-input',
    `${time} is in the future, so the table at ${location} has no version of then`,
    {
      hint: 'leave the time out to read the current version',
    },
  )
}

/** Schema that rows of a snapshot were written for; snapshots that name none (v1) have the current one. */
export function snapshotSchema(metadata: TableMetadata, snapshot: Snapshot): Schema {
  const { schemaId } = snapshot
  if (schemaId === undefined) return currentSchema(metadata)
  return metadata.schemas.find((schema) => schema.schemaId === schemaId) ?? currentSchema(metadata)
}

/**
 * Schema that a read shows: branches are written with the table's current schema, so their heads are read with it;
 * ids, tags and times show the schema of their snapshot.
 */
export function selectedSchema(
  metadata: TableMetadata,
  selector: SnapshotSelector,
  snapshot: Snapshot | undefined,
): Schema {
  if (snapshot === undefined || selector.kind === 'current' || isBranch(metadata, selector))
    return currentSchema(metadata)
  return snapshotSchema(metadata, snapshot)
}

function isBranch(metadata: TableMetadata, selector: SnapshotSelector): boolean {
  if (selector.kind !== 'ref') return false
  return selector.name === mainBranch || findRef(metadata, selector.name)?.type === 'branch'
}
