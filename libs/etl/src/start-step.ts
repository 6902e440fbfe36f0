import { toFloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import { planChunks } from '@floe/postgres'
import type { Chunk, SourceConnection, SourceSnapshot } from '@floe/postgres'
import type { ObjectStore } from '@floe/storage'
import type { LoadComponents } from './load-components.ts'
import type { ResumeReport } from './load-report.ts'
import { stateFolder, stateHome } from './load-state.ts'
import { adoptStaged, tableName } from './load-target.ts'
import type { OpenedFiles } from './opened-files.ts'
import { OwnState } from './own-state.ts'
import { fingerprintOf, whyNotResumable } from './plan-fingerprint.ts'
import type { PlannedStep, PlannedTable, TargetPlan } from './plan-table.ts'
import type { TableProgress } from './progress.ts'
import { discardDead, identifySource, resumeLoad } from './resume-load.ts'
import type { OwnPlan, ResumeOutcome } from './resume-load.ts'

/** One commit of a load as it begins: what is left to read, and what an earlier load has left. */
export type StepStart = {
  readonly into: TargetPlan
  readonly chunks: readonly Chunk[]
  readonly resume: ResumeReport
  /** Absent when the load could not be resumed anyway. */
  readonly state?: OwnState
  readonly reused?: {
    readonly rows: number
    readonly dataFiles: readonly DataFile[]
    readonly touched: Readonly<Record<string, number>>
  }
}

/**
 * Looks for what a dead load has finished, and plans the rest.
 * @param atEnd  keep what is read until the commit, which other tables may delay
 */
export async function startStep(
  plan: PlannedTable,
  step: PlannedStep,
  into: TargetPlan,
  { snapshot, connection, atEnd }: { snapshot: SourceSnapshot; connection: SourceConnection; atEnd: boolean },
  progress: TableProgress,
  components: LoadComponents,
): Promise<StepStart> {
  const start = await resumeStep(plan, step, into, { snapshot, connection, atEnd }, components)
  if (start.reused !== undefined) progress.resumed(start.reused.rows, start.chunks.length)
  const isNews = start.resume.outcome !== 'not-needed' && plan.increment === undefined
  const table = tableName(plan.request.identifier)
  if (isNews && plan.request.resume !== false)
    components.onProgress?.({ kind: 'table-resume', table, resume: start.resume })
  return start
}

async function resumeStep(
  plan: PlannedTable,
  { chunks }: PlannedStep,
  into: TargetPlan,
  run: { snapshot: SourceSnapshot; connection: SourceConnection; atEnd: boolean },
  components: LoadComponents,
): Promise<StepStart> {
  const { snapshot, connection } = run
  const impossible = (reason: string): StepStart => ({
    into,
    chunks,
    resume: { outcome: 'impossible', reason },
  })
  const { base, metadata } = into.target
  const why = whyNotResumable(plan)
  if (why !== undefined) return impossible(why)
  const home = stateHome(base)
  if (home === undefined) return impossible('the catalog gives keys for the folder of the new table alone')
  const source = await identifySource(plan, connection)
  if (typeof source === 'string') return impossible(source)
  const own: OwnPlan = {
    ...source,
    snapshot,
    fingerprint: fingerprintOf(plan, into.target),
    ...(base.metadataLocation === undefined
      ? { staged: { location: metadata.location, uuid: metadata.tableUuid } }
      : {}),
  }
  const outcome = await resumeLoad(plan, own, home, snapshot, components).catch((error: unknown) => {
    if (toFloeError(error).code === 'permission-denied') return undefined
    throw error
  })
  if (outcome === undefined) return impossible(`${home} may not be read`)
  const table = { formatVersion: metadata.formatVersion, atEnd: run.atEnd }
  if (outcome.kind === 'resumed') return resumedStart(plan, into, outcome, table, connection, components)
  await snapshot.tryLock(into.token)
  const state = {
    folder: stateFolder(home, into.token),
    generation: 0,
    plan: { ...own, kind: 'open', keeps: [] },
  } as const
  const resume: ResumeReport =
    outcome.kind === 'none' ? { outcome: 'not-needed' } : { outcome: 'anew', reason: outcome.reason }
  return { into, chunks, resume, state: new OwnState(state, table, components.store) }
}

async function resumedStart(
  { request: { workers, method }, source }: PlannedTable,
  into: TargetPlan,
  { state, ranges, rows, dataFiles, touched, changedChunks }: Extract<ResumeOutcome, { kind: 'resumed' }>,
  table: { readonly formatVersion: 1 | 2 | 3; readonly atEnd: boolean },
  connection: SourceConnection,
  { store }: LoadComponents,
): Promise<StepStart> {
  const { staged } = state.plan
  const target = staged === undefined ? into.target : adoptStaged(into.target, staged)
  const options = { workers, except: ranges, ...(method === undefined ? {} : { method }) }
  const { chunks } = await planChunks(connection, source, options)
  return {
    into: { ...into, target },
    chunks,
    resume: { outcome: 'resumed', chunks: ranges.length, rows, files: dataFiles.length, changedChunks },
    state: new OwnState(state, table, store),
    reused: { rows, dataFiles, touched },
  }
}

/** After the commit. Best effort: what stays is closed, or an orphan. */
export async function endStep(
  { into, state, resume }: StepStart,
  snapshot: SourceSnapshot,
  { store }: LoadComponents,
): Promise<void> {
  await state?.remove()
  const { base } = into.target
  if (base.metadataLocation !== undefined || resume.outcome === 'not-needed') return
  const home = stateHome(base)
  if (home !== undefined) await discardDead(home, snapshot, store).catch(() => undefined)
}

/** Removes what a load has left that failed, unless another has gone on with it. Best effort. */
export async function discardStep(
  starts: readonly StepStart[],
  opened: OpenedFiles,
  store: ObjectStore,
): Promise<void> {
  const closed = await Promise.all(
    starts.map(async ({ state }) => state === undefined || (await state.tryClose().catch(() => false))),
  )
  if (!closed.every(Boolean)) return
  await opened.remove(store)
  const reused = starts.flatMap((start) => start.reused?.dataFiles ?? [])
  await store.delete(reused.map(({ filePath }) => filePath)).catch(() => undefined)
  for (const { state } of starts) await state?.remove()
}
