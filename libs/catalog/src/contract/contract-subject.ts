import { expect } from 'vitest'
import type { Schema, Snapshot, TableMetadata, TableUpdate } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { Catalog, TableIdentifier } from '../catalog.ts'

/** An empty catalog, and where its tables go: a location without a slash at its end. */
export type CatalogSubject = {
  readonly catalog: Catalog
  readonly store: ObjectStore
  readonly base: string
}

/** What catalogs of the world do differently; what is not said here, each of them must do. */
export type CatalogTraits = {
  /** Namespaces have levels. */
  readonly nested: boolean
  /** A namespace needs its parent, and a list of what is below a missing one fails. */
  readonly checksParents: boolean
  /** Names that are out of the ordinary and taken, and legal names that are refused nevertheless. */
  readonly names: readonly string[]
  readonly refusedNames: readonly string[]
  /** A table that is made again gets a folder of its own: its name ends in eight hex digits of the table's uuid. */
  readonly uniqueFolders: boolean
  /** Tables go below the `location` of their namespace. */
  readonly namespaceLocations: boolean
  /** The first metadata file is of version 0. */
  readonly countsFromZero: boolean
  /** A commit that was overtaken is applied on top of the other while its requirements hold. */
  readonly retriesCommits: boolean
  /** A commit that changes nothing leaves the metadata file as it is. */
  readonly skipsEmptyCommits: boolean
  /** A uuid has one name at most. */
  readonly uniqueUuids: boolean
  /** A commit that fails leaves no metadata file behind. */
  readonly cleansUp: boolean
  /** That there is no file to register is said as `invalid-input`. */
  readonly checksRegistered: boolean
}

export type Subject = () => Promise<CatalogSubject>
export type ContractPart = (subject: Subject, traits: CatalogTraits) => void

export const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 10, name: 'id', type: { kind: 'long' }, required: true },
    { id: 20, name: 'day', type: { kind: 'date' }, required: false },
  ],
}
export const orders: TableIdentifier = { namespace: ['shop'], name: 'orders' }

export async function filesOf({ store, base }: CatalogSubject): Promise<readonly string[]> {
  const found = await Array.fromAsync(store.list(`${base}/`))
  // Hadoop's file system leaves checksums beside what it writes.
  const locations = found.map(({ location }) => location).filter((location) => !location.endsWith('.crc'))
  return locations.toSorted()
}

type Head = Pick<TableMetadata, 'lastUpdatedMs' | 'lastSequenceNumber'>

let snapshotIds = 0n

export function newSnapshot(
  base: string,
  { lastUpdatedMs, lastSequenceNumber }: Head,
  parent?: bigint,
): Snapshot {
  // Beyond 2^53, where a JSON number would lose its last digits.
  const snapshotId = 9_007_199_254_740_993n + 2n * snapshotIds++
  return {
    snapshotId,
    sequenceNumber: lastSequenceNumber + 1n,
    timestampMs: lastUpdatedMs,
    manifestList: `${base}/snap-${snapshotId}.avro`,
    schemaId: 0,
    summary: { operation: 'append' },
    ...(parent === undefined ? {} : { parentSnapshotId: parent }),
  }
}

export function appendUpdates(snapshot: Snapshot): readonly TableUpdate[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref: { snapshotId: snapshot.snapshotId, type: 'branch' } },
  ]
}

/** Appends as a client does: load, stage on what is there, and again from the start after a conflict. */
export async function append(
  { catalog, base }: CatalogSubject,
  snapshots: 'all' | 'refs' = 'all',
): Promise<bigint> {
  for (;;) {
    const { metadata } = await catalog.loadTable(orders, { snapshots })
    const snapshotId = metadata.currentSnapshotId
    const snapshot = newSnapshot(base, metadata, snapshotId)
    try {
      await catalog.commitTable(orders, {
        requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId }],
        updates: appendUpdates(snapshot),
      })
      return snapshot.snapshotId
    } catch (error) {
      expect(error).toMatchObject({ code: 'commit-conflict' })
    }
  }
}

export function stagedCommit(
  metadata: TableMetadata,
  snapshot: Snapshot,
): Parameters<Catalog['commitTable']>[1] {
  const [stagedSchema] = metadata.schemas
  const [spec] = metadata.partitionSpecs
  const [sortOrder] = metadata.sortOrders
  if (stagedSchema === undefined || spec === undefined || sortOrder === undefined)
    throw new TypeError('the staged table has no schema, spec or sort order')
  return {
    requirements: [{ type: 'assert-create' }],
    updates: [
      { action: 'assign-uuid', uuid: metadata.tableUuid },
      { action: 'upgrade-format-version', formatVersion: 2 },
      { action: 'add-schema', schema: stagedSchema },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: metadata.location },
      { action: 'set-properties', updates: metadata.properties },
      ...appendUpdates(snapshot),
    ],
  }
}
