import { FloeError } from './error.ts'
import { firstPartitionFieldId } from './partition-spec.ts'
import type { Snapshot, SnapshotRef } from './snapshot.ts'
import type { FormatVersion, TableMetadata } from './table-metadata.ts'

/** Metadata between two updates of one commit, and what later updates of it refer to. */
export type Draft = {
  readonly metadata: TableMetadata
  /** Time of the commit; not before the last update of the table. */
  readonly nowMs: number
  readonly history: CommitHistory
  readonly lastAddedSchemaId?: number
  readonly lastAddedSpecId?: number
  readonly lastAddedSortOrderId?: number
}

type Refs = TableMetadata['refs']

/**
 * What one commit adds to a table's history, for as long as the commit is applied. Lists and refs that it copied once
 * change in place: with a copy for each snapshot, a commit of thousands of them takes quadratic time.
 */
export class CommitHistory {
  readonly #addedIds = new Set<bigint>()
  readonly #ownLists = new WeakSet<readonly unknown[]>()
  readonly #ownRefs = new WeakSet<Refs>()
  #indexed: readonly Snapshot[] = []
  #byId = new Map<bigint, Snapshot>()

  get addedSnapshotIds(): ReadonlySet<bigint> {
    return this.#addedIds
  }

  /** The list with one more item: itself when this commit made it, else a copy. */
  append<T>(list: readonly T[], item: T): readonly T[] {
    if (this.#ownLists.has(list)) {
      const own = list as T[]
      own.push(item)
      return own
    }
    const copy = [...list, item]
    this.#ownLists.add(copy)
    return copy
  }

  /** The refs with `ref` as `name`, or without that name: themselves when this commit made them, else a copy. */
  changeRef(refs: Refs, name: string, ref: SnapshotRef | undefined): Refs {
    const own: Record<string, SnapshotRef> = this.#ownRefs.has(refs) ? refs : { ...refs }
    this.#ownRefs.add(own)
    if (ref === undefined) Reflect.deleteProperty(own, name)
    // Not by assignment, which is something else for a ref called `__proto__`.
    else
      Object.defineProperty(own, name, { value: ref, enumerable: true, configurable: true, writable: true })
    return own
  }

  addSnapshot(snapshots: readonly Snapshot[], snapshot: Snapshot): readonly Snapshot[] {
    this.#indexOf(snapshots).set(snapshot.snapshotId, snapshot)
    this.#addedIds.add(snapshot.snapshotId)
    this.#indexed = this.append(snapshots, snapshot)
    return this.#indexed
  }

  findSnapshot({ snapshots }: TableMetadata, snapshotId: bigint): Snapshot | undefined {
    return this.#indexOf(snapshots).get(snapshotId)
  }

  #indexOf(snapshots: readonly Snapshot[]): Map<bigint, Snapshot> {
    if (this.#indexed !== snapshots) {
      this.#indexed = snapshots
      this.#byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
    }
    return this.#byId
  }
}

/** Id of an update that means: the one that this commit added last. */
const lastAdded = -1

/** The id that `id` stands for. Throws `invalid-input` for -1 when nothing was added. */
export function resolveLastAdded(id: number, lastAddedId: number | undefined, what: string): number {
  if (id !== lastAdded) return id
  if (lastAddedId !== undefined) return lastAddedId
  throw new FloeError('invalid-input', `cannot set the last added ${what}: the commit adds no ${what}`)
}

/** The draft with changed metadata. */
export function changeDraft(draft: Draft, change: Partial<TableMetadata>): Draft {
  return { ...draft, metadata: { ...draft.metadata, ...change } }
}

/** What the updates of a creating commit start from: no schema, spec, order, location or uuid yet. */
export function emptyTableMetadata(formatVersion: FormatVersion, nowMs: number): TableMetadata {
  return {
    formatVersion,
    tableUuid: '',
    location: '',
    lastSequenceNumber: 0n,
    lastUpdatedMs: nowMs,
    lastColumnId: 0,
    schemas: [],
    currentSchemaId: 0,
    partitionSpecs: [],
    defaultSpecId: 0,
    lastPartitionId: firstPartitionFieldId - 1,
    sortOrders: [],
    defaultSortOrderId: 0,
    properties: {},
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
    refs: {},
    ...(formatVersion === 3 ? { nextRowId: 0n } : {}),
    statistics: [],
    partitionStatistics: [],
    encryptionKeys: [],
  }
}
