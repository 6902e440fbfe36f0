import type { TableMetadata } from '@floe/iceberg'
import type { ManifestCache, ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'
import type { DuckDBConnection } from '@duckdb/node-api'

import type { BoundScan } from './bind-select.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { FileCache, FileLease } from './file-cache.ts'
import type { LayoutCache } from './file-layout.ts'
import { createMetadataView } from './metadata-view.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { createScanView, filesOf } from './scan-view.ts'
import type { SessionPool } from './session-pool.ts'

export type ScanSessionComponents = {
  readonly store: ObjectStore
  readonly sessions: SessionPool
  readonly files: FileCache
  readonly layouts: LayoutCache
  readonly manifests: ManifestCache
  readonly deadline: QueryDeadline
}

/** A scan with the plan of its files; `undefined` for a metadata table. */
export type PlannedScan = { readonly scan: BoundScan; readonly plan: ScanPlan | undefined }

/** A session that may open exactly the files of some scans, each of which is a view. Close it, then release the lease. */
export type ScanSession = { readonly session: DuckDBSession; readonly lease: FileLease }

/** Fetches the files of the scans, and opens a session over them. Frees everything when it fails. */
export async function openScanSession(
  scans: readonly PlannedScan[],
  rowsWanted: number | undefined,
  components: ScanSessionComponents,
): Promise<ScanSession> {
  const { deadline, files, sessions } = components
  const lease = files.lease()
  let session: DuckDBSession | undefined
  try {
    const needed = scans.flatMap(({ plan }) => (plan === undefined ? [] : filesOf(plan)))
    await deadline.guard(lease.hold(needed, deadline.signal))
    session = await sessions.take()
    const { connection } = session
    const interrupt = (): void => connection.interrupt()
    deadline.signal.addEventListener('abort', interrupt, { once: true })
    session.onClose(() => deadline.signal.removeEventListener('abort', interrupt))
    await session.lock(lease.paths)
    for (const { scan, plan } of scans) {
      const { source } = scan
      if (source.kind === 'metadata-table')
        await createMetadataView(scan, source.rows, rowsWanted, { ...components, connection })
      else if (plan !== undefined)
        await createTableView(
          scan.index,
          { metadata: source.loaded.metadata, plan },
          { connection, lease },
          components,
        )
    }
    return { session, lease }
  } catch (error) {
    session?.close()
    await lease.release()
    throw error
  }
}

async function createTableView(
  index: number,
  { metadata, plan }: { readonly metadata: TableMetadata; readonly plan: ScanPlan },
  { connection, lease }: { readonly connection: DuckDBConnection; readonly lease: FileLease },
  { deadline, layouts, store }: ScanSessionComponents,
): Promise<void> {
  const files = filesOf(plan).map((file) => ({ location: file.filePath, path: lease.pathOf(file) }))
  const footers = await deadline.guard(layouts.read(connection, files))
  await deadline.guard(
    createScanView(index, { metadata, plan, layouts: footers }, { connection, lease, store }),
  )
}
