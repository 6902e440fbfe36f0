import { randomBytes } from 'node:crypto'

import type { ManifestCache, ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'

import type { BoundScan } from './bind-select.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { FileCache, FileLease } from './file-cache.ts'
import type { LayoutCache } from './file-layout.ts'
import { interruptOnAbort } from './interruption.ts'
import { createMetadataView } from './metadata-view.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { createScanView, filesOf } from './scan-view.ts'
import type { ScanComponents } from './scan-view.ts'
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

/** REST spec `sha-256-query-local` asks for 16 at least. */
const maskSaltBytes = 32

type TableSource = Extract<BoundScan['source'], { kind: 'table' }>

/** Fetches the files of the scans, and opens a session over them. Frees everything when it fails. */
export async function openScanSession(
  scans: readonly PlannedScan[],
  rowsWanted: number | undefined,
  components: ScanSessionComponents,
): Promise<ScanSession> {
  const { deadline, files, sessions } = components
  const lease = files.lease()
  const saltHex = randomBytes(maskSaltBytes).toString('hex')
  let session: DuckDBSession | undefined
  try {
    const needed = scans.flatMap(({ plan }) => (plan === undefined ? [] : filesOf(plan)))
    await deadline.guard(lease.hold(needed, deadline.signal))
    session = await sessions.take()
    const { connection } = session
    session.onClose(interruptOnAbort(connection, deadline.signal))
    await session.lock(lease.paths)
    for (const { scan, plan } of scans) {
      const { source } = scan
      if (source.kind === 'metadata-table')
        await createMetadataView(scan, source.rows, rowsWanted, { ...components, connection })
      else if (plan !== undefined)
        await createTableView(scan.index, { ...source, plan }, { connection, lease, saltHex }, components)
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
  { loaded: { metadata }, restrictions, plan }: TableSource & { readonly plan: ScanPlan },
  own: Pick<ScanComponents, 'connection' | 'lease' | 'saltHex'>,
  { deadline, layouts, store }: ScanSessionComponents,
): Promise<void> {
  const files = filesOf(plan).map((file) => ({ location: file.filePath, path: own.lease.pathOf(file) }))
  const footers = await deadline.guard(layouts.read(own.connection, files))
  await deadline.guard(
    createScanView(index, { metadata, plan, layouts: footers, restrictions }, { ...own, store }),
  )
}
