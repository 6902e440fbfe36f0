import type { TableMetadata } from '@floe/iceberg'
import { planScan } from '@floe/planner'
import type { ManifestCache, ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api'

import { bindSelect } from './bind-select.ts'
import type { BindComponents, BoundScan, BoundSelect } from './bind-select.ts'
import { toEngineError } from './duckdb-error.ts'
import { assertStreamEnded, startStream } from './result-stream.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { FileCache, FileLease } from './file-cache.ts'
import type { LayoutCache } from './file-layout.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { readRows } from './duckdb-session.ts'
import { answerFromMetadata } from './known-aggregates.ts'
import type { AnsweredPlan } from './known-aggregates.ts'
import { createMetadataView } from './metadata-view.ts'
import { createViews } from './placeholder.ts'
import { queryResult } from './query-result.ts'
import type { QueryResult, SnapshotReference } from './query-result.ts'
import { createScanView, filesOf } from './scan-view.ts'
import type { SessionPool } from './session-pool.ts'

export type RunComponents = BindComponents & {
  readonly store: ObjectStore
  readonly sessions: SessionPool
  readonly files: FileCache
  readonly layouts: LayoutCache
  readonly manifests: ManifestCache
  readonly rowsMax: number
  readonly deadline: QueryDeadline
}

/** Bind, plan, fetch, run: the files of every scan are pruned and local before DuckDB sees one. */
export async function runQuery(sql: string, components: RunComponents): Promise<QueryResult> {
  const { deadline, files, sessions, rowsMax } = components
  deadline.check()
  const select = await deadline.guard(bindSelect(sql, components))
  const planned = await deadline.guard(planScans(select, components))
  const answers = planned.map((plan, at) => answerOf(plan, select, at))
  const plans = planned.map((plan, at) => answers[at]?.plan ?? plan)
  const lease = files.lease()
  let session: DuckDBSession | undefined
  const free = async (): Promise<void> => {
    deadline.stop()
    session?.close()
    await lease.release()
  }
  try {
    await deadline.guard(
      lease.hold(
        plans.flatMap((plan) => (plan === undefined ? [] : filesOf(plan))),
        deadline.signal,
      ),
    )
    session = await sessions.take()
    const { connection } = session
    for (const answer of answers) if (answer !== undefined) await readRows(connection, answer.knownSql)
    const result = await execute(select, plans, session, lease, components)
    const pruning = select.scans.flatMap(({ table }, at) => {
      const report = planned[at]?.report
      const filesAnswered = answers[at]?.filesAnswered ?? 0
      return report === undefined
        ? []
        : [{ table, report, ...(filesAnswered === 0 ? {} : { filesAnswered }) }]
    })
    return queryResult({
      result,
      rowsMax,
      deadline,
      interrupt: () => session?.connection.interrupt(),
      assertEnded: () => assertStreamEnded(connection, select.sql, deadline),
      free,
      references: select.scans.map(referenceOf),
      pruning,
    })
  } catch (error) {
    await free()
    throw toEngineError(error)
  }
}

/** The plan of a table's files; `undefined` for a metadata table. */
type MaybePlan = ScanPlan | undefined

function planScans(
  { scans, rowsWanted }: BoundSelect,
  { store, manifests }: RunComponents,
): Promise<readonly MaybePlan[]> {
  return Promise.all(
    scans.map(async ({ source, selector, need }) => {
      if (source.kind !== 'table') return undefined
      const { metadata } = source.loaded
      const limit = rowsWanted === undefined ? {} : { rowsWanted }
      return planScan({ metadata, selector, filter: need.filter, ...limit }, { store, cache: manifests })
    }),
  )
}

function answerOf(plan: MaybePlan, { scans, pushdowns }: BoundSelect, at: number): AnsweredPlan | undefined {
  const pushdown = pushdowns.find(({ index }) => index === scans[at]?.index)
  return plan === undefined || pushdown === undefined ? undefined : answerFromMetadata(plan, pushdown)
}

async function execute(
  select: BoundSelect,
  plans: readonly MaybePlan[],
  session: DuckDBSession,
  lease: FileLease,
  components: RunComponents,
): Promise<DuckDBResult> {
  const { deadline } = components
  const { connection } = session
  const interrupt = (): void => connection.interrupt()
  deadline.signal.addEventListener('abort', interrupt, { once: true })
  session.onClose(() => deadline.signal.removeEventListener('abort', interrupt))
  await session.lock(lease.paths)
  for (const [at, scan] of select.scans.entries()) {
    const plan = plans[at]
    const { source } = scan
    if (source.kind === 'metadata-table') {
      await createMetadataView(scan, source.rows, select.rowsWanted, { ...components, connection })
    } else if (plan !== undefined) {
      const { metadata } = source.loaded
      await createTableView(scan.index, { metadata, plan }, { connection, lease }, components)
    }
  }
  await createViews(connection, select.views)
  deadline.check()
  return deadline.guard(startStream(connection, select.sql))
}

async function createTableView(
  index: number,
  { metadata, plan }: { readonly metadata: TableMetadata; readonly plan: ScanPlan },
  { connection, lease }: { readonly connection: DuckDBConnection; readonly lease: FileLease },
  { deadline, layouts, store }: RunComponents,
): Promise<void> {
  const files = filesOf(plan).map((file) => ({ location: file.filePath, path: lease.pathOf(file) }))
  const footers = await deadline.guard(layouts.read(connection, files))
  await deadline.guard(
    createScanView(index, { metadata, plan, layouts: footers }, { connection, lease, store }),
  )
}

function referenceOf({ table, selector, snapshot }: BoundScan): SnapshotReference {
  return {
    table,
    snapshotId: snapshot?.snapshotId,
    ...(snapshot === undefined ? {} : { timestampMs: snapshot.timestampMs }),
    ...(selector.kind === 'ref' ? { ref: selector.name } : {}),
  }
}
