import { bindSelect } from './bind-select.ts'
import type { BindComponents, BoundScan } from './bind-select.ts'
import { toEngineError } from './duckdb-error.ts'
import { readRows } from './duckdb-session.ts'
import { interruptUntilStopped } from './interruption.ts'
import { createViews } from './placeholder.ts'
import { planQuery } from './plan-query.ts'
import { queryResult } from './query-result.ts'
import type { QueryTimer } from './query-profile.ts'
import type { QueryResult, SnapshotReference } from './query-result.ts'
import { assertStreamEnded, startStream } from './result-stream.ts'
import { createScanViews, openScanSession, selectFromScans } from './scan-session.ts'
import type { ScanSession, ScanSessionComponents } from './scan-session.ts'

export type RunComponents = BindComponents &
  ScanSessionComponents & { readonly rowsMax: number; readonly bytesMax: number; readonly timer: QueryTimer }

/** Bind, plan, fetch, run: the files of every scan are pruned and local before DuckDB sees one. */
export async function runQuery(sql: string, components: RunComponents): Promise<QueryResult> {
  const { deadline, rowsMax, bytesMax, timer } = components
  deadline.check()
  let open: ScanSession | undefined
  let ended = false
  const free = async (): Promise<void> => {
    deadline.stop()
    if (open !== undefined && ended && open.lease.isLocal) components.sessions.giveBack(open.session)
    else open?.session.close()
    await open?.lease.release()
  }
  try {
    timer.begin('bind')
    const select = await deadline.guard(bindSelect(sql, components))
    timer.begin('plan')
    const { scans, knownSql, pruning } = await deadline.guard(planQuery(select, components))
    timer.begin('open')
    open = await openScanSession(scans, select.rowsWanted, components)
    const { connection } = open.session
    for (const statement of knownSql) await readRows(connection, statement)
    const isPlain = select.isQuery && select.views.length === 0
    if (!isPlain) await createScanViews(open)
    await createViews(connection, select.views)
    const running = isPlain ? selectFromScans(select.sql, open.scans) : select.sql
    deadline.check()
    timer.begin('run')
    const result = await deadline.guard(startStream(connection, running))
    return queryResult({
      result,
      rowsMax,
      bytesMax,
      timer,
      deadline,
      interrupt: () => interruptUntilStopped(connection),
      assertEnded: async () => {
        await assertStreamEnded(connection, running, deadline)
        ended = true
      },
      free,
      references: select.scans.map(referenceOf),
      pruning,
    })
  } catch (error) {
    await free()
    throw toEngineError(error)
  }
}

function referenceOf({ table, selector, snapshot }: BoundScan): SnapshotReference {
  return {
    table,
    snapshotId: snapshot?.snapshotId,
    ...(snapshot === undefined ? {} : { timestampMs: snapshot.timestampMs }),
    ...(selector.kind === 'ref' ? { ref: selector.name } : {}),
  }
}
