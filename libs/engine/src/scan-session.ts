import { randomBytes } from 'node:crypto'

import type { DataFile } from '@floe/iceberg'
import type { ManifestCache, RowChanges, ScanPlan } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'

import type { BoundScan } from './bind-select.ts'
import { createChangesView } from './changes-view.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { FileCache, FileLease } from './file-cache.ts'
import type { FileLayout, LayoutCache } from './file-layout.ts'
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

/** A scan with the plan of its files; `undefined` for a metadata table, and for changes, which have several. */
export type PlannedScan = {
  readonly scan: BoundScan
  readonly plan: ScanPlan | undefined
  readonly changes?: readonly RowChanges[] | undefined
}

/** A session that may open exactly the files of some scans, each of which is a view. Close it, then release the lease. */
export type ScanSession = { readonly session: DuckDBSession; readonly lease: FileLease }

/** REST spec `sha-256-query-local` asks for 16 at least. */
const maskSaltBytes = 32

/** A file may stand in several changes: the lease takes it once. */
function filesOfAll(plan: ScanPlan | undefined, changes: readonly RowChanges[]): readonly DataFile[] {
  const parts = changes.flatMap(({ tasks, kept }) => [{ tasks }, { tasks: kept }])
  return [...(plan === undefined ? [] : [plan]), ...parts].flatMap(filesOf)
}

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
    const needed = scans.flatMap(({ plan, changes = [] }) => filesOfAll(plan, changes))
    await deadline.guard(lease.hold(needed, deadline.signal))
    session = await sessions.take()
    const { connection } = session
    session.onClose(interruptOnAbort(connection, deadline.signal))
    await session.lock(lease.paths)
    for (const { scan, plan, changes = [] } of scans) {
      const { source } = scan
      if (source.kind === 'metadata-table')
        await createMetadataView(scan, source.rows, rowsWanted, { ...components, connection })
      else if (source.kind === 'changes')
        await createChanges(scan, changes, { connection, lease, saltHex }, components)
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

type OwnComponents = Pick<ScanComponents, 'connection' | 'lease' | 'saltHex'>

async function createTableView(
  index: number,
  { loaded: { metadata }, restrictions, plan }: TableSource & { readonly plan: ScanPlan },
  own: OwnComponents,
  components: ScanSessionComponents,
): Promise<void> {
  const layouts = await readFooters(plan, own, components)
  const source = { metadata, plan, layouts, restrictions }
  await components.deadline.guard(createScanView(index, source, { ...own, store: components.store }))
}

async function createChanges(
  { index, schema, source }: BoundScan,
  changes: readonly RowChanges[],
  own: OwnComponents,
  components: ScanSessionComponents,
): Promise<void> {
  if (source.kind !== 'changes') return
  const { metadata } = source.loaded
  const layouts = await readFooters(
    { tasks: changes.flatMap(({ tasks, kept }) => [...tasks, ...kept]) },
    own,
    components,
  )
  const view = createChangesView(
    index,
    { metadata, schema, changes, layouts },
    { ...own, store: components.store },
  )
  await components.deadline.guard(view)
}

/** Reads what the files of a plan look like. */
function readFooters(
  plan: Pick<ScanPlan, 'tasks'>,
  { connection, lease }: OwnComponents,
  { deadline, layouts }: ScanSessionComponents,
): Promise<ReadonlyMap<string, FileLayout>> {
  const files = filesOf(plan).map((file) => ({ location: file.filePath, path: lease.pathOf(file) }))
  return deadline.guard(layouts.read(connection, files))
}
