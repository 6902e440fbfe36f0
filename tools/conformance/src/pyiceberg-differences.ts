import { jsonEqual, mainBranch, stringifyJson } from '@floe/iceberg'
import type { JsonObject, JsonValue, TableUpdate } from '@floe/iceberg'

/** One commit with what came out of it, in canonical JSON. */
export type AppliedCommit = {
  readonly base: JsonObject
  readonly updates: readonly TableUpdate[]
  readonly floe: JsonObject
  readonly peer: JsonObject
}

type Difference = (commit: AppliedCommit) => JsonObject

/**
 * What PyIceberg made of a commit, with every place where it may differ from Floe brought into Floe's form. Each
 * difference says where Floe follows the spec or Java, and checks as much of the place as still can be.
 */
export function withoutAllowedDifferences(commit: AppliedCommit): JsonObject {
  return allowed.reduce((peer, difference) => ({ ...peer, ...difference({ ...commit, peer }) }), commit.peer)
}

/** PyIceberg applies updates of v1 to the lists alone, and numbers partition fields anew when it reads. */
const firstVersion: Difference = ({ floe }) => {
  if (floe['format-version'] !== 1) return {}
  const copies = ['schema', 'partition-spec', 'last-partition-id']
  return Object.fromEntries(copies.map((key) => [key, floe[key] ?? null]))
}

/**
 * Spec "Table Metadata", `snapshot-log`: entries before one that is removed go too, and Java leaves out what a commit
 * added to main and moved on from. PyIceberg removes the one entry, and keeps the other.
 */
const snapshotLog: Difference = ({ updates, floe, peer }) => {
  const moves = updates.filter((update) => 'refName' in update && update.refName === mainBranch)
  const removes = updates.some(({ action }) => action === 'remove-snapshots')
  if (!removes && moves.length < 2) return {}
  const isPart = isPartOf(objects(floe['snapshot-log']), objects(peer['snapshot-log']))
  return isPart ? { 'snapshot-log': floe['snapshot-log'] ?? [] } : {}
}

/** Java keeps the parent of a snapshot when the parent expires; PyIceberg takes it away. */
const parents: Difference = ({ updates, floe, peer }) => {
  const removed = removedIds(updates)
  const known = new Map(
    objects(floe['snapshots']).map((snapshot) => [idText(snapshot['snapshot-id']), snapshot]),
  )
  const snapshots = objects(peer['snapshots']).map((snapshot) => {
    const parent = known.get(idText(snapshot['snapshot-id']))?.['parent-snapshot-id']
    const isLost = snapshot['parent-snapshot-id'] === undefined && removed.has(idText(parent))
    return isLost ? { ...snapshot, 'parent-snapshot-id': parent ?? null } : snapshot
  })
  return { snapshots }
}

/** Java drops partition statistics with their snapshot; PyIceberg only the other statistics. */
const partitionStatistics: Difference = ({ updates, peer }) => {
  const removed = removedIds(updates)
  const kept = objects(peer['partition-statistics']).filter(
    (file) => !removed.has(idText(file['snapshot-id'])),
  )
  return { 'partition-statistics': kept }
}

/** A commit that changes nothing leaves Floe's metadata as it is, as in Java; PyIceberg counts it as an update. */
const nothingChanged: Difference = ({ base, floe }) =>
  jsonEqual(base, floe)
    ? { 'last-updated-ms': base['last-updated-ms'] ?? null, 'metadata-log': base['metadata-log'] ?? [] }
    : {}

const allowed: readonly Difference[] = [
  firstVersion,
  snapshotLog,
  parents,
  partitionStatistics,
  nothingChanged,
]

function removedIds(updates: readonly TableUpdate[]): ReadonlySet<string> {
  return new Set(
    updates.flatMap((update) => (update.action === 'remove-snapshots' ? update.snapshotIds.map(String) : [])),
  )
}

function idText(id: JsonValue | undefined): string {
  return stringifyJson(id ?? null)
}

function objects(json: JsonValue | undefined): readonly JsonObject[] {
  return (json ?? []) as readonly JsonObject[]
}

/** Whether the items come in `all` in the same order, with others between them. */
function isPartOf(items: readonly JsonObject[], all: readonly JsonObject[]): boolean {
  let found = 0
  for (const item of all) if (jsonEqual(item, items[found])) found++
  return found === items.length
}
