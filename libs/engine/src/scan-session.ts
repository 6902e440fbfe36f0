import { randomBytes } from 'node:crypto'

import { FloeError } from '@floe/iceberg'
import type { DataFile, TableMetadata } from '@floe/iceberg'
import type { DecodeElsewhere, ManifestCache, RowChanges, ScanPlan } from '@floe/planner'
import type { ObjectReader } from '@floe/storage'

import type { BoundScan } from './bind-select.ts'
import { changesSql } from './changes-view.ts'
import type { DirectAccess } from './direct-access.ts'
import { runAll } from './duckdb-session.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import { rangesOfColumns } from './column-chunks.ts'
import type { ChunkCache } from './column-chunks.ts'
import type { FileCache } from './file-cache.ts'
import { FileLease } from './file-lease.ts'
import type { FileLayout, LayoutCache } from './file-layout.ts'
import { interruptOnAbort } from './interruption.ts'
import { metadataSql } from './metadata-view.ts'
import type { QueryDeadline } from './query-deadline.ts'
import { filesOf, scanSql } from './scan-view.ts'
import type { ScanComponents, ScanSource } from './scan-view.ts'
import { lineageFieldIds } from './row-lineage.ts'
import { scanName } from './select-gate.ts'
import type { SessionPool } from './session-pool.ts'

export type ScanSessionComponents = {
  readonly store: ObjectReader
  readonly sessions: SessionPool
  readonly files: FileCache
  readonly direct: DirectAccess
  /** When the query has ended at the latest. */
  readonly endMs: number
  readonly layouts: LayoutCache
  readonly chunks: ChunkCache
  readonly manifests: ManifestCache
  readonly decodeElsewhere?: DecodeElsewhere
  readonly deadline: QueryDeadline
}

/** A scan with the plan of its files; `undefined` for a metadata table, and for changes, which have several. */
export type PlannedScan = {
  readonly scan: BoundScan
  readonly plan: ScanPlan | undefined
  readonly changes?: readonly RowChanges[] | undefined
}

/** A session that may open exactly the files of some scans, with a SELECT for each. Close it, then release the lease. */
export type ScanSession = {
  readonly session: DuckDBSession
  readonly lease: FileLease
  readonly scans: readonly ScanSelect[]
}

/** What `name` stands for in the SQL of a query. */
export type ScanSelect = { readonly name: string; readonly sql: string }

/** Makes a view of each scan, for SQL that is not one SELECT. */
export async function createScanViews({ session, scans }: ScanSession): Promise<void> {
  await runAll(
    session.connection,
    scans.map(({ name, sql }) => `CREATE TEMP VIEW ${name} AS ${sql}`),
  )
}

/**
 * A SELECT with its scans in front as common table expressions: each is bound once, where a view is bound when it is
 * made and when it is read, and opens its files both times.
 */
export function selectFromScans(sql: string, scans: readonly ScanSelect[]): string {
  if (scans.length === 0) return sql
  const expressions = scans.map((scan) => `${scan.name} AS NOT MATERIALIZED (${scan.sql})`)
  // DuckDB prints its own expressions in one form, and parses none inside of parentheses behind others.
  const [start = '', recursive = ''] = /^WITH (RECURSIVE )?/.exec(sql) ?? []
  const rest = sql.slice(start.length)
  return `WITH ${recursive}${expressions.join(',\n')}${start === '' ? '\n' : ',\n'}${rest}`
}

/** REST spec `sha-256-query-local` asks for 16 at least. */
const maskSaltBytes = 32

type ScanFiles = { readonly planned: readonly DataFile[]; readonly changed: readonly DataFile[] }

function filesOfScans(scans: readonly PlannedScan[]): ScanFiles {
  const planned = scans.flatMap(({ plan }) => (plan === undefined ? [] : filesOf(plan)))
  const changed = scans.flatMap(({ changes = [] }) =>
    changes.flatMap(({ tasks, kept }) => [...filesOf({ tasks }), ...filesOf({ tasks: kept })]),
  )
  return { planned, changed }
}

/** Deletes and changes are read whole; of data files the columns follow once their footers are known. */
async function holdFiles(
  { planned, changed }: ScanFiles,
  lease: FileLease,
  signal: AbortSignal,
): Promise<void> {
  const [data, deletes] = [planned.filter(isData), planned.filter((file) => !isData(file))]
  await lease.holdWhole(unique([...deletes, ...changed]), signal)
  await lease.holdFooters(unique(data), signal)
}

/** A file may stand in several scans. */
function unique(files: readonly DataFile[]): readonly DataFile[] {
  return [...new Map(files.map((file) => [file.filePath, file])).values()]
}

function isData({ content }: DataFile): boolean {
  return content === 'data'
}

type TableSource = Extract<BoundScan['source'], { kind: 'table' }>

/** Fetches the files of the scans, and opens a session over them. Frees everything when it fails. */
export async function openScanSession(
  scans: readonly PlannedScan[],
  rowsWanted: number | undefined,
  components: ScanSessionComponents,
): Promise<ScanSession> {
  const { deadline, files, sessions } = components
  const scanFiles = filesOfScans(scans)
  const locations = [...scanFiles.planned, ...scanFiles.changed].map(({ filePath }) => filePath)
  const direct = await deadline.guard(components.direct.filesOf(locations, components.endMs))
  const lease = new FileLease(files, direct.urls)
  const saltHex = randomBytes(maskSaltBytes).toString('hex')
  let session: DuckDBSession | undefined
  try {
    await deadline.guard(holdFiles(scanFiles, lease, deadline.signal))
    session = await sessions.take(lease.paths, direct)
    const { connection } = session
    session.onClose(interruptOnAbort(connection, deadline.signal))
    const own = { connection, lease, saltHex }
    const selects: ScanSelect[] = []
    for (const planned of scans) {
      const sql = await sqlOf(planned, rowsWanted, own, components)
      selects.push({ name: scanName(planned.scan.index), sql })
    }
    return { session, lease, scans: selects }
  } catch (error) {
    session?.close()
    await lease.release()
    throw error
  }
}

type OwnComponents = Pick<ScanComponents, 'connection' | 'lease' | 'saltHex'>

function sqlOf(
  { scan, plan, changes = [] }: PlannedScan,
  rowsWanted: number | undefined,
  own: OwnComponents,
  components: ScanSessionComponents,
): Promise<string> {
  const { source } = scan
  if (source.kind === 'metadata-table')
    return metadataSql(scan, source.rows, rowsWanted, { ...components, connection: own.connection })
  if (source.kind === 'changes')
    return changedSql({ ...scan, metadata: source.loaded.metadata }, changes, own, components)
  if (plan === undefined) throw new FloeError('internal', `the scan of ${scan.table} was not planned`)
  return tableSql(scan, { ...source, plan }, own, components)
}

async function tableSql(
  { index, need }: BoundScan,
  { loaded: { metadata }, restrictions, plan }: TableSource & { readonly plan: ScanPlan },
  own: OwnComponents,
  components: ScanSessionComponents,
): Promise<string> {
  const layouts = await readFooters(plan, own, components)
  const source = { metadata, plan, layouts, restrictions }
  await holdColumns(restrictions === undefined ? need.fieldIds : undefined, source, own, components)
  return components.deadline.guard(scanSql(index, source, { ...own, store: components.store }))
}

async function changedSql(
  { index, schema, metadata }: Pick<BoundScan, 'index' | 'schema'> & { readonly metadata: TableMetadata },
  changes: readonly RowChanges[],
  own: OwnComponents,
  components: ScanSessionComponents,
): Promise<string> {
  const layouts = await readFooters(
    { tasks: changes.flatMap(({ tasks, kept }) => [...tasks, ...kept]) },
    own,
    components,
  )
  const sql = changesSql(index, { metadata, schema, changes, layouts }, { ...own, store: components.store })
  return components.deadline.guard(sql)
}

/**
 * Makes the columns of remote data files readable that a scan looks at, those that its deletes compare included; all of
 * them when `fieldIds` is `undefined`.
 */
async function holdColumns(
  fieldIds: ReadonlySet<number> | undefined,
  { metadata, plan, layouts }: Pick<ScanSource, 'metadata' | 'plan' | 'layouts'>,
  { connection, lease }: OwnComponents,
  { chunks, deadline }: ScanSessionComponents,
): Promise<void> {
  const remote = plan.tasks.filter(({ dataFile }) => lease.isRemote(dataFile))
  const files = unique(remote.map(({ dataFile }) => dataFile))
  if (files.length === 0) return
  if (fieldIds === undefined) return deadline.guard(lease.holdWhole(files, deadline.signal))
  const compared = remote.flatMap(({ deletes }) => deletes.flatMap(({ equalityIds = [] }) => equalityIds))
  const needed = new Set([...fieldIds, ...compared, ...lineageFieldIds])
  const leavesOf = await deadline.guard(chunks.read(connection, files, lease))
  const ranges = new Map(
    [...leavesOf].map(([file, leaves]) => [
      file,
      rangesOfColumns(file, needed, { leaves, layouts, metadata }),
    ]),
  )
  await deadline.guard(lease.holdRanges(ranges, deadline.signal))
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
