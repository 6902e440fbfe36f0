import { FloeError } from './error.ts'
import { mainBranch, type Snapshot } from './snapshot.ts'
import type { TableMetadata } from './table-metadata.ts'

/**
 * Checks that every id of the metadata exists once and that the refs agree with the current snapshot.
 * @throws FloeError corrupt-data naming the member
 */
export function checkTableMetadata(metadata: TableMetadata): void {
  checkIds(
    metadata,
    'schema',
    metadata.currentSchemaId,
    metadata.schemas.map((schema) => schema.schemaId),
  )
  checkIds(
    metadata,
    'partition spec',
    metadata.defaultSpecId,
    metadata.partitionSpecs.map((spec) => spec.specId),
  )
  checkIds(
    metadata,
    'sort order',
    metadata.defaultSortOrderId,
    metadata.sortOrders.map((order) => order.orderId),
  )
  const snapshotIds = new Set<bigint>()
  for (const snapshot of metadata.snapshots) checkSnapshot(metadata, snapshot, snapshotIds)
  checkRefs(metadata, snapshotIds)
}

function checkIds(metadata: TableMetadata, what: string, chosen: number, ids: readonly number[]): void {
  if (new Set(ids).size !== ids.length) broken(metadata, `two ${what}s share an id`)
  if (!ids.includes(chosen))
    broken(metadata, `there is no ${what} ${chosen}, the one in use; known: ${ids.join(', ')}`)
}

function checkSnapshot(metadata: TableMetadata, snapshot: Snapshot, ids: Set<bigint>): void {
  if (ids.has(snapshot.snapshotId)) broken(metadata, `two snapshots share the id ${snapshot.snapshotId}`)
  ids.add(snapshot.snapshotId)
  if (snapshot.sequenceNumber > metadata.lastSequenceNumber && metadata.formatVersion > 1) {
    broken(
      metadata,
      `snapshot ${snapshot.snapshotId} has sequence number ${snapshot.sequenceNumber}, later than last-sequence-number ${metadata.lastSequenceNumber}`,
    )
  }
}

function checkRefs(metadata: TableMetadata, snapshotIds: ReadonlySet<bigint>): void {
  const { currentSnapshotId, refs } = metadata
  if (currentSnapshotId !== undefined && !snapshotIds.has(currentSnapshotId)) {
    broken(metadata, `current-snapshot-id ${currentSnapshotId} is not among the snapshots`)
  }
  for (const [name, ref] of Object.entries(refs)) {
    if (!snapshotIds.has(ref.snapshotId))
      broken(metadata, `ref "${name}" points to the missing snapshot ${ref.snapshotId}`)
  }
  const main = Object.hasOwn(refs, mainBranch) ? refs[mainBranch] : undefined
  if (main?.snapshotId !== currentSnapshotId) {
    broken(
      metadata,
      `current-snapshot-id ${currentSnapshotId ?? 'none'} is not the head of main, ${main?.snapshotId ?? 'none'}`,
    )
  }
}

function broken(metadata: TableMetadata, what: string): never {
  throw new FloeError('corrupt-data', `metadata of the table at ${metadata.location}: ${what}`, {
    hint: 'the metadata file is damaged, or its writer broke the Iceberg spec',
  })
}
