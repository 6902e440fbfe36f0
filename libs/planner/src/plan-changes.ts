import { bindExpression, evaluateExpression, FloeError, mapPredicates, snapshotById } from '@floe/iceberg'
import type { Expression, NestedField, PrimitiveValue, Schema, Snapshot, TableMetadata } from '@floe/iceberg'

import { ManifestCache } from './manifest-cache.ts'
import { planScan } from './plan-scan.ts'
import type { ScanComponents } from './plan-scan.ts'
import type { ScanTask } from './scan-plan.ts'

/** Columns that say how a row came or went, with the ids that Iceberg reserves for them (as Spark's changelog has them). */
export const changeFields: readonly NestedField[] = [
  { id: 2147483543, name: '_change_type', type: { kind: 'string' }, required: true },
  { id: 2147483542, name: '_change_ordinal', type: { kind: 'int' }, required: true },
  { id: 2147483541, name: '_commit_snapshot_id', type: { kind: 'long' }, required: true },
]

/** Snapshots that one read of changes follows back. */
const changedSnapshotsMax = 1000

export type ChangeType = 'insert' | 'delete'

/** Rows that one snapshot inserted or deleted. */
export type RowChanges = {
  readonly type: ChangeType
  readonly ordinal: number
  readonly snapshotId: bigint
  /** Files whose live rows changed. */
  readonly tasks: readonly ScanTask[]
  /** The same files as the snapshot left them: rows that live on in these did not change. */
  readonly kept: readonly ScanTask[]
}

export type ChangesRequest = {
  readonly metadata: TableMetadata
  /** The newest snapshot whose changes count; `undefined` for a table without data. */
  readonly snapshot: Snapshot | undefined
  /** Columns of the table, and then `changeFields`. */
  readonly schema: Schema
  /** Unbound or bound, over all of these columns. */
  readonly filter: Expression
}

/**
 * What each snapshot up to one changed, oldest first: files that came are inserts, files that went are deletes, and so
 * are the rows that new delete files remove. Snapshots that only rewrite (`replace`) change nothing and count nothing.
 * A history begins after its oldest snapshot when that one was built on an expired one.
 * @throws FloeError as `planScan`, and resource-exhausted past `changedSnapshotsMax`
 */
export async function planChanges(
  request: ChangesRequest,
  components: ScanComponents,
): Promise<readonly RowChanges[]> {
  const own = { ...components, cache: components.cache ?? new ManifestCache() }
  const filter = bindExpression(request.filter, request.schema)
  const changes: RowChanges[] = []
  for (const [ordinal, snapshot] of changingSnapshots(request).entries()) {
    for (const type of ['insert', 'delete'] as const) {
      const left = withConstants(filter, { type, ordinal, snapshotId: snapshot.snapshotId })
      if (left.kind === 'false') continue
      const change = await changesOf(type, snapshot, { request, filter: left, components: own })
      if (change.tasks.length > 0) changes.push({ type, ordinal, snapshotId: snapshot.snapshotId, ...change })
    }
  }
  return changes
}

/** Ancestors that change rows and whose parent is there to compare with, oldest first. */
function changingSnapshots({ metadata, snapshot }: ChangesRequest): readonly Snapshot[] {
  const chain: Snapshot[] = []
  for (let at = snapshot; at !== undefined;) {
    const { parentSnapshotId, summary } = at
    const parent = parentSnapshotId === undefined ? undefined : snapshotById(metadata, parentSnapshotId)
    const isComparable = parentSnapshotId === undefined || parent !== undefined
    if (isComparable && summary?.['operation'] !== 'replace') chain.push(at)
    if (chain.length > changedSnapshotsMax) throw tooManySnapshots(metadata)
    at = parent
  }
  return chain.toReversed()
}

function tooManySnapshots({ location }: TableMetadata): FloeError {
  return new FloeError(
    'resource-exhausted',
    `the table at ${location} has more than ${changedSnapshotsMax} snapshots to look for changes in`,
    { hint: 'read the changes of an older version with AT (VERSION => ...), or expire snapshots' },
  )
}

function withConstants(
  filter: Expression,
  { type, ordinal, snapshotId }: { type: ChangeType; ordinal: number; snapshotId: bigint },
): Expression {
  const values: readonly PrimitiveValue[] = [type, ordinal, snapshotId]
  const constants = new Map(changeFields.map(({ id }, at) => [id, values[at] ?? null]))
  return mapPredicates(filter, (predicate) => {
    const { reference } = predicate
    if (reference.kind !== 'id' || !constants.has(reference.fieldId)) return predicate
    const holds = evaluateExpression(predicate, (fieldId) => constants.get(fieldId) ?? null)
    return { kind: holds ? 'true' : 'false' }
  })
}

type ChangeContext = {
  readonly request: ChangesRequest
  readonly filter: Expression
  readonly components: ScanComponents
}

async function changesOf(
  type: ChangeType,
  snapshot: Snapshot,
  context: ChangeContext,
): Promise<Pick<RowChanges, 'tasks' | 'kept'>> {
  const { parentSnapshotId } = snapshot
  const before = parentSnapshotId === undefined ? [] : await tasksOf(parentSnapshotId, context)
  const after = await tasksOf(snapshot.snapshotId, context)
  const [own, other] = type === 'insert' ? [after, before] : [before, after]
  const others = new Map(other.map((task) => [task.dataFile.filePath, task]))
  const tasks: ScanTask[] = []
  const kept: ScanTask[] = []
  for (const task of own) {
    const twin = others.get(task.dataFile.filePath)
    if (twin !== undefined && deletesKey(twin) === deletesKey(task)) continue
    // Deletes are never taken back: a file that stays has no new rows.
    if (twin !== undefined && type === 'insert') continue
    tasks.push(task)
    if (twin !== undefined) kept.push(twin)
  }
  return { tasks, kept }
}

/** Deletion vectors share a file, and a newer one of the same data file replaces the older. */
function deletesKey({ deletes }: ScanTask): string {
  return deletes
    .map(({ filePath, contentOffset }) => `${filePath} ${contentOffset ?? ''}`)
    .sort()
    .join('\n')
}

async function tasksOf(
  snapshotId: bigint,
  { request, filter, components }: ChangeContext,
): Promise<readonly ScanTask[]> {
  const { metadata, schema } = request
  const selector = { kind: 'id', snapshotId } as const
  const { tasks } = await planScan({ metadata, selector, schema, filter }, components)
  return tasks
}
