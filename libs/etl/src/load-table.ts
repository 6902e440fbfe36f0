import type { LoadedTable } from '@floe/catalog'
import { currentSnapshot, FloeError, toFloeError } from '@floe/iceberg'
import type { SourceConnection, SourceSnapshot } from '@floe/postgres'
import { commitSnapshot, parseWriteSettings } from '@floe/writer'
import type { CommittedSnapshot, CommitTarget, SnapshotChange } from '@floe/writer'
import type { LoadComponents } from './load-components.ts'
import { loadError } from './load-error.ts'
import type { ResumeReport, TableLoad } from './load-report.ts'
import { tableName } from './load-target.ts'
import { addStats, emptyStats } from './load-task.ts'
import { OpenedFiles } from './opened-files.ts'
import { describeIncrement, planStepTarget, sourceName } from './plan-table.ts'
import type { PlannedTable, TargetPlan } from './plan-table.ts'
import { progressOf } from './progress.ts'
import type { TableProgress } from './progress.ts'
import { readTable } from './read-table.ts'
import type { ReadTable } from './read-table.ts'
import { positionProperty } from './source-position.ts'
import { discardStep, endStep, startStep } from './start-step.ts'
import type { StepStart } from './start-step.ts'

type LoadedStep = ReadTable & {
  readonly into: TargetPlan
  readonly resume: ResumeReport
  /** Absent when there was nothing to commit. */
  readonly committed?: CommittedSnapshot
}

/** Loads one planned table under one source snapshot and commits it. No file stays behind after a known failure. */
export async function loadTable(
  plan: PlannedTable,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
  components: LoadComponents,
): Promise<TableLoad> {
  const started = components.clock.now()
  const progress = progressOf(plan, components)
  const loaded: LoadedStep[] = []
  let into = plan.first
  for (const [index, step] of plan.steps.entries()) {
    if (index > 0) into = await planStepTarget(plan, step, tableAfter(loaded, plan), components)
    const run = { snapshot, connection, atEnd: false }
    const result = startStep(plan, step, into, run, progress, components).then((start) =>
      loadStep(plan, start, snapshot, progress, components),
    )
    loaded.push(await result.catch((error: unknown) => Promise.reject(afterCommits(loaded.length, error))))
  }
  return describeLoad(plan, loaded, components.clock.now() - started)
}

/** Steps that are committed stay: the failure of a later one must not say that nothing was. */
function afterCommits(commits: number, error: unknown): FloeError {
  const failure = toFloeError(error)
  if (commits === 0 || failure.code === 'commit-state-unknown') return failure
  return new FloeError(failure.code, failure.message, {
    hint: `${commits} ranges are in the table: load again to go on behind them`,
    retryable: failure.retryable,
    cause: failure,
  })
}

/** The table as the steps so far have left it. */
function tableAfter(loaded: readonly LoadedStep[], { request, first }: PlannedTable): LoadedTable {
  const state =
    loaded.findLast(({ committed }) => committed !== undefined)?.committed?.state ?? first.target.base
  return { identifier: request.identifier, config: {}, ...state }
}

async function loadStep(
  plan: PlannedTable,
  start: StepStart,
  snapshot: SourceSnapshot,
  progress: TableProgress,
  components: LoadComponents,
): Promise<LoadedStep> {
  using opened = new OpenedFiles()
  const { signal, store, catalog } = components
  const { into, resume, state } = start
  try {
    const read = await readTable(plan, start, snapshot, opened, progress, components)
    signal?.throwIfAborted()
    if (isUnchanged(plan, into, read)) return { ...read, into, resume }
    const { identifier } = plan.request
    const target: CommitTarget = {
      load: () => catalog.loadTable(identifier),
      commit: (requirements, updates) => catalog.commitTable(identifier, { requirements, updates }),
    }
    await state?.close()
    const committed = await commitTable(plan, into, read, target, components)
    await endStep(start, snapshot, components)
    return { ...read, into, resume, committed }
  } catch (error) {
    const failure = loadError(error, signal)
    // After an unknown outcome the files may be part of the table: they stay.
    if (failure.code !== 'commit-state-unknown') await discardStep([start], opened, store)
    throw failure
  }
}

/** An increment that brings nothing leaves the table alone: the position may be an older one, since none is lost by it. */
export function isUnchanged(
  { increment }: PlannedTable,
  { target }: TargetPlan,
  { stats }: ReadTable,
): boolean {
  if (increment === undefined || increment.isFirst || increment.movesAnyway) return false
  return stats.rows === 0 && target.changes.length === 0
}

/** Makes what was read visible through `catalog`. */
export function commitTable(
  { request, source, mergeKey, increment }: PlannedTable,
  { target, token }: TargetPlan,
  { dataFiles, deleteFiles, rows }: ReadTable,
  catalog: CommitTarget,
  components: LoadComponents,
): Promise<CommittedSnapshot> {
  const kind = request.mode === 'replace' ? 'replace-all' : mergeKey.length > 0 ? 'merge' : 'append'
  const change: SnapshotChange = kind === 'merge' ? { kind, dataFiles, deleteFiles } : { kind, dataFiles }
  return commitSnapshot(
    {
      table: tableName(request.identifier),
      base: target.base,
      target: target.metadata,
      updates: target.updates,
      change,
      token,
      // Two loads that go on from one position would bring the same rows.
      ...(increment === undefined ? {} : { restsOn: [positionProperty] }),
      summary: {
        'floe.source.table': sourceName(source),
        'floe.source.rows': String(rows),
        'engine-name': 'floe',
      },
    },
    { ...components, catalog },
  )
}

export function describeLoad(plan: PlannedTable, steps: readonly LoadedStep[], elapsedMs: number): TableLoad {
  const { request, source, method, increment, first } = plan
  const seconds = elapsedMs / 1000
  const stats = steps.reduce((sum, step) => addStats(sum, step.stats), emptyStats)
  const dataFiles = steps.flatMap((step) => step.dataFiles)
  const commits = steps.flatMap(({ committed }) => (committed === undefined ? [] : [committed]))
  const last = steps.at(-1)
  const { ignored } = parseWriteSettings(first.target.metadata.properties)
  const snapshotId =
    commits.at(-1)?.snapshot.snapshotId ?? currentSnapshot(first.target.base.metadata)?.snapshotId
  return {
    status: 'loaded',
    table: tableName(request.identifier),
    source: sourceName(source),
    mode: request.mode,
    method,
    methodReason: plan.steps[0].reason,
    workers: Math.max(...steps.map(({ workers }) => workers)),
    rows: steps.reduce((sum, { rows }) => sum + rows, 0),
    seconds,
    rowsPerSecond: stats.rows / seconds,
    megabytesPerSecond: stats.wireBytes / seconds / 1_000_000,
    files: dataFiles.length,
    deleteFiles: steps.reduce((sum, { deleteFiles }) => sum + deleteFiles.length, 0),
    dataBytes: dataFiles.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0),
    snapshotId: snapshotId ?? 0n,
    commits: commits.length,
    token: last?.into.token ?? first.token,
    attempts: commits.reduce((sum, { attempts }) => sum + attempts, 0),
    schemaChanges: first.target.changes,
    ...(increment === undefined ? {} : { increment: describeIncrement(request, increment) }),
    resume: steps[0]?.resume ?? { outcome: 'not-needed' },
    stats,
    warnings: ignored.map((property) => `table property ${property} is set but has no effect on this writer`),
  }
}
