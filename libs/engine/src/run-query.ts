import { randomBytes } from 'node:crypto'

import { and } from '@floe/iceberg'
import { planScan } from '@floe/planner'
import type { ManifestCache, ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'
import type { DuckDBResult } from '@duckdb/node-api'

import { bindSelect } from './bind-select.ts'
import type { BindComponents, BoundScan, BoundSelect } from './bind-select.ts'
import { toEngineError } from './duckdb-error.ts'
import { assertStreamEnded, startStream } from './result-stream.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { FileCache, FileLease } from './file-cache.ts'
import type { LayoutCache } from './file-layout.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { queryResult } from './query-result.ts'
import type { QueryResult, SnapshotReference } from './query-result.ts'
import { pruningFilter } from './restricted-scan.ts'
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

/** REST spec `sha-256-query-local` asks for 16 at least. */
const maskSaltBytes = 32

/** Bind, plan, fetch, run: the files of every scan are pruned and local before DuckDB sees one. */
export async function runQuery(sql: string, components: RunComponents): Promise<QueryResult> {
  const { deadline, files, sessions, rowsMax } = components
  deadline.check()
  const select = await deadline.guard(bindSelect(sql, components))
  const plans = await deadline.guard(planScans(select, components))
  const lease = files.lease()
  let session: DuckDBSession | undefined
  const free = async (): Promise<void> => {
    deadline.stop()
    session?.close()
    await lease.release()
  }
  try {
    await deadline.guard(lease.hold(plans.flatMap(filesOf), deadline.signal))
    session = await sessions.take()
    const { connection } = session
    const result = await execute(select, plans, session, lease, components)
    const pruning = select.scans.flatMap(({ table, restrictions }, at) => {
      const report = plans[at]?.report
      // What was pruned tells of rows that are not shown.
      return report === undefined || restrictions !== undefined ? [] : [{ table, report }]
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

function planScans(
  { scans, rowsWanted }: BoundSelect,
  { store, manifests }: RunComponents,
): Promise<readonly ScanPlan[]> {
  return Promise.all(
    scans.map(({ loaded, selector, schema, need, restrictions }) =>
      planScan(
        {
          metadata: loaded.metadata,
          selector,
          filter:
            restrictions === undefined ? need.filter : and(need.filter, pruningFilter(restrictions, schema)),
          ...(rowsWanted === undefined ? {} : { rowsWanted }),
        },
        { store, cache: manifests },
      ),
    ),
  )
}

async function execute(
  select: BoundSelect,
  plans: readonly ScanPlan[],
  session: DuckDBSession,
  lease: FileLease,
  { deadline, layouts, store }: RunComponents,
): Promise<DuckDBResult> {
  const { connection } = session
  const saltHex = randomBytes(maskSaltBytes).toString('hex')
  const interrupt = (): void => connection.interrupt()
  deadline.signal.addEventListener('abort', interrupt, { once: true })
  session.onClose(() => deadline.signal.removeEventListener('abort', interrupt))
  await session.lock(lease.paths)
  for (const [index, plan] of plans.entries()) {
    const scan = select.scans[index]
    if (scan === undefined) continue
    const { restrictions, loaded } = scan
    const files = filesOf(plan).map((file) => ({ location: file.filePath, path: lease.pathOf(file) }))
    const footers = await deadline.guard(layouts.read(connection, files))
    await deadline.guard(
      createScanView(
        index,
        { metadata: loaded.metadata, plan, layouts: footers, restrictions },
        { connection, lease, store, saltHex },
      ),
    )
  }
  deadline.check()
  return deadline.guard(startStream(connection, select.sql))
}

function referenceOf({ table, selector, snapshot }: BoundScan): SnapshotReference {
  return {
    table,
    snapshotId: snapshot?.snapshotId,
    ...(snapshot === undefined ? {} : { timestampMs: snapshot.timestampMs }),
    ...(selector.kind === 'ref' ? { ref: selector.name } : {}),
  }
}
