import type { DataFile } from '@floe/iceberg'
import {
  blocksRelation,
  connectSource,
  countUnchanged,
  identifyLeaves,
  identifyServer,
  onSnapshot,
  xidDistanceMax,
} from '@floe/postgres'
import type {
  BlockRange,
  LeafIdentity,
  SourceConnection,
  SourceIdentity,
  SourceSnapshot,
} from '@floe/postgres'
import type { ObjectStore } from '@floe/storage'
import type { LoadComponents } from './load-components.ts'
import { differingParts } from './plan-fingerprint.ts'
import {
  closeState,
  findLoadStates,
  isOwnLocation,
  readCheckpoints,
  removeState,
  takeOver,
} from './load-state.ts'
import type { LoadState, NamedCheckpoint } from './load-state.ts'
import type { PlannedTable } from './plan-table.ts'
import type { OpenStatePlan } from './state-plan.ts'

/** What was taken over from a load that was killed: read again is what is not in `ranges`. */
type Resumed = {
  readonly state: LoadState & { readonly plan: OpenStatePlan }
  readonly ranges: readonly BlockRange[]
  readonly rows: number
  readonly touched: Readonly<Record<string, number>>
  readonly dataFiles: readonly DataFile[]
  /** Chunks that were finished and have changed since. */
  readonly changedChunks: number
}

export type ResumeOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'anew'; readonly reason: string }
  | ({ readonly kind: 'resumed' } & Resumed)

/** The plan of this load as it would stand in its state, without what another load has left. */
export type OwnPlan = Omit<OpenStatePlan, 'kind' | 'keeps'>

/** @returns why this source cannot be compared with what it was, or how it can */
export async function identifySource(
  { source }: Pick<PlannedTable, 'source'>,
  connection: SourceConnection,
): Promise<Pick<OpenStatePlan, 'source' | 'leaves'> | string> {
  const server = await identifyServer(connection)
  if (server === undefined) return 'the server does not tell its system identifier and timeline'
  const leaves = await identifyLeaves(connection, source)
  const foreign = leaves.find(({ accessMethod }) => accessMethod !== 'heap')
  if (foreign !== undefined) return `${foreign.name} is kept by ${foreign.accessMethod}, not as a heap`
  return { source: server, leaves }
}

/**
 * Takes over what a dead load of the same plan has finished and the source still holds unchanged. One that may be alive
 * is left alone: it holds its name locked on the source.
 */
export async function resumeLoad(
  plan: PlannedTable,
  own: OwnPlan,
  home: string,
  snapshot: SourceSnapshot,
  { store }: LoadComponents,
): Promise<ResumeOutcome> {
  const states = await findLoadStates(store, home)
  let reason: string | undefined
  for (const state of states) {
    const outcome = await resumeState(state, plan, own, snapshot, store)
    if (typeof outcome !== 'string') return { kind: 'resumed', ...outcome }
    reason ??= outcome
  }
  return reason === undefined ? { kind: 'none' } : { kind: 'anew', reason }
}

async function resumeState(
  state: LoadState,
  plan: PlannedTable,
  own: OwnPlan,
  snapshot: SourceSnapshot,
  store: ObjectStore,
): Promise<Resumed | string> {
  if (state.plan.kind === 'closed') return 'the earlier load had begun to commit, or to clean up'
  const mismatch = whyUnusable(state.plan, own, snapshot)
  if (mismatch !== undefined) return mismatch
  if (!(await snapshot.tryLock(state.id))) return 'the earlier load is still running'
  const checkpoints = await readCheckpoints(store, state)
  const sameFile = checkpoints.filter(({ ranges }) =>
    ranges.every((range) => isSameLeaf(range, state.plan as OpenStatePlan, own)),
  )
  const present = await withFiles(sameFile, store)
  const kept = await unchanged(present, state.plan.snapshot.xmin, plan, snapshot)
  const chunksOf = (some: readonly NamedCheckpoint[]): number =>
    some.reduce((sum, { ranges }) => sum + ranges.length, 0)
  if (kept.length === 0)
    return checkpoints.length === 0
      ? 'the earlier load had finished no chunks'
      : `all ${chunksOf(checkpoints)} chunks that were finished have changed since`
  const next: OpenStatePlan = {
    ...own,
    kind: 'open',
    keeps: kept.map(({ name }) => name),
    ...(state.plan.staged === undefined ? {} : { staged: state.plan.staged }),
  }
  if (!(await takeOver(store, state, next))) return 'another load has taken the earlier one up'
  await dropCheckpoints(
    state,
    checkpoints.filter((checkpoint) => !kept.includes(checkpoint)),
    store,
  )
  await clearStaged(
    next,
    kept.flatMap(({ dataFiles }) => dataFiles),
    store,
  )
  return {
    state: { ...state, generation: state.generation + 1, plan: next },
    ranges: kept.flatMap(({ ranges }) => ranges),
    rows: kept.reduce((sum, { rows }) => sum + rows, 0),
    touched: sumTouched(kept),
    dataFiles: kept.flatMap(({ dataFiles }) => dataFiles),
    changedChunks: chunksOf(checkpoints) - chunksOf(kept),
  }
}

function whyUnusable(earlier: OpenStatePlan, own: OwnPlan, snapshot: SourceSnapshot): string | undefined {
  const parts = differingParts(earlier.fingerprint, own.fingerprint)
  if (parts.length > 0) return `the earlier load had another plan: ${parts.join(', ')}`
  if (!isSameServer(earlier.source, own.source))
    return 'the source is another server or database, or its history has branched'
  const { xmin, xmax } = earlier.snapshot
  if (snapshot.xmax - xmin >= xidDistanceMax) return 'too many transactions lie between'
  // Standbys of one server may each stand at another moment; all that the earlier one may have seen must be over.
  const isLater = own.source.isStandby
    ? snapshot.xmin >= xmax
    : snapshot.xmin >= xmin && snapshot.xmax >= xmax
  return isLater ? undefined : 'the source shows an earlier moment than it did'
}

function isSameServer(left: SourceIdentity, right: SourceIdentity): boolean {
  return (
    left.system === right.system &&
    left.timeline === right.timeline &&
    left.database === right.database &&
    left.isStandby === right.isStandby
  )
}

function isSameLeaf({ relation }: BlockRange, earlier: OpenStatePlan, own: OwnPlan): boolean {
  const find = (leaves: readonly LeafIdentity[]): LeafIdentity | undefined =>
    leaves.find((leaf) => blocksRelation(leaf) === relation)
  const [before, now] = [find(earlier.leaves), find(own.leaves)]
  return before !== undefined && now !== undefined && before.oid === now.oid && before.file === now.file
}

const headsMax = 16

/** Those whose files are all there, as they were written. */
async function withFiles(
  checkpoints: readonly NamedCheckpoint[],
  store: ObjectStore,
): Promise<readonly NamedCheckpoint[]> {
  const missing = new Set<DataFile>()
  const files = checkpoints.flatMap(({ dataFiles }) => dataFiles)
  for (let start = 0; start < files.length; start += headsMax) {
    const heads = files.slice(start, start + headsMax).map(async (file) => {
      const found = await store.head(file.filePath)
      if (found?.sizeBytes !== file.fileSizeInBytes) missing.add(file)
    })
    await Promise.all(heads)
  }
  return checkpoints.filter(({ dataFiles }) => !dataFiles.some((file) => missing.has(file)))
}

/** Those whose rows the source holds as they were, asked for over as many connections as the load has workers. */
async function unchanged(
  checkpoints: readonly NamedCheckpoint[],
  earlierXmin: bigint,
  { request: { sourceUrl, workers } }: PlannedTable,
  snapshot: SourceSnapshot,
): Promise<readonly NamedCheckpoint[]> {
  const kept: NamedCheckpoint[] = []
  let next = 0
  const check = async (): Promise<void> => {
    const connection = await connectSource(sourceUrl)
    try {
      await onSnapshot(connection, snapshot.id, async () => {
        for (
          let checkpoint = checkpoints[next++];
          checkpoint !== undefined;
          checkpoint = checkpoints[next++]
        ) {
          const { rows, written } = await countUnchanged(connection, checkpoint.ranges, earlierXmin, snapshot)
          if (written === 0 && rows === checkpoint.rows) kept.push(checkpoint)
        }
      })
    } finally {
      await connection.end().catch(() => undefined)
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, checkpoints.length) }, check))
  return kept
}

/**
 * After a table was made: loads that died making it cannot go on any more, and what they left is in no table. States
 * that are closed stay: their files may be those of a table that was dropped since.
 */
export async function discardDead(home: string, snapshot: SourceSnapshot, store: ObjectStore): Promise<void> {
  for (const state of await findLoadStates(store, home)) {
    if (state.plan.kind === 'closed' || !(await snapshot.tryLock(state.id))) continue
    if (!(await closeState(store, state))) continue
    await dropCheckpoints(state, await readCheckpoints(store, state), store)
    await clearStaged(state.plan, [], store)
    await removeState(store, state.folder)
  }
}

/** What else a dead load has left where its table was to be: nothing but the table is ever there. */
async function clearStaged(
  { staged }: OpenStatePlan,
  kept: readonly DataFile[],
  store: ObjectStore,
): Promise<void> {
  if (staged === undefined || !isOwnLocation(staged.location, staged.uuid)) return
  const keptPaths = new Set(kept.map(({ filePath }) => filePath))
  const others: string[] = []
  for await (const { location } of store.list(`${staged.location}/`)) {
    if (!keptPaths.has(location)) others.push(location)
  }
  await store.delete(others)
}

/** First what names the files: a checkpoint never names files that are gone. */
async function dropCheckpoints(
  { folder }: LoadState,
  dropped: readonly NamedCheckpoint[],
  store: ObjectStore,
): Promise<void> {
  await store.delete(dropped.map(({ name }) => `${folder}/${name}`))
  await store.delete(dropped.flatMap(({ dataFiles }) => dataFiles.map(({ filePath }) => filePath)))
}

function sumTouched(checkpoints: readonly NamedCheckpoint[]): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {}
  for (const { touched } of checkpoints) {
    for (const [name, count] of Object.entries(touched)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}
