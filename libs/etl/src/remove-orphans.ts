import { findReachableFiles } from '@floe/catalog'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { ObjectInfo, ObjectStore } from '@floe/storage'
import { closeState, lastWritten, readCheckpoints, readLoadStates, removeState } from './load-state.ts'
import { tableName } from './load-target.ts'

const dayMs = 86_400_000
/** Files of a load that is running are in no snapshot yet: younger ones are never touched. */
const orphanAgeMsDefault = 3 * dayMs
/** Removed at a time. */
const deletedAtOnceMax = 1000

export type OrphanRequest = {
  readonly identifier: TableIdentifier
  /** Default three days. It must exceed the time of the longest load, of whatever writer. */
  readonly olderThanMs?: number
  readonly dryRun?: boolean
  /** Nothing but the table is below its location, though it does not end in digits of the table's uuid. */
  readonly ownLocation?: boolean
}

export type OrphanReport = {
  readonly location: string
  /** Removed, or with `dryRun` found. */
  readonly orphans: readonly ObjectInfo[]
  readonly bytes: number
  /** Orphans that are too young to be told from files of a load that is running, or wait for one to be resumed. */
  readonly tooYoung: number
}

type Components = {
  readonly catalog: Pick<Catalog, 'loadTable'>
  readonly store: ObjectStore
  readonly clock: { now(): number }
}

/**
 * Removes files below a table's location that neither a snapshot nor the metadata log reaches: what loads left that
 * were killed. Hidden temporary files and unfinished uploads are no objects, and stay.
 * @throws unsupported when `gc.enabled` is false, invalid-input for a location that others may share; when any manifest
 *   cannot be read nothing is removed
 */
export async function removeOrphans(request: OrphanRequest, components: Components): Promise<OrphanReport> {
  const { catalog, store, clock } = components
  const { identifier, olderThanMs = orphanAgeMsDefault } = request
  const { metadata } = await catalog.loadTable(identifier)
  assertOwnLocation(request, metadata)
  const youngestMs = clock.now() - olderThanMs
  const found: ObjectInfo[] = []
  for await (const file of store.list(`${metadata.location.replace(/\/+$/, '')}/`)) found.push(file)
  // After the list: what was committed meanwhile is reachable.
  const reachable = await reachableFiles(identifier, components)
  const unreachable = found.filter(({ location }) => !reachable.has(sameLocation(location)))
  const waiting = await waitingFiles(unreachable, youngestMs, request, store)
  const orphans = unreachable.filter(
    ({ location, lastModifiedMs }) =>
      lastModifiedMs < youngestMs && !waiting.files.has(sameLocation(location)),
  )
  if (request.dryRun !== true) await removeAll(store, orphans)
  for (const folder of waiting.closed) await removeState(store, folder)
  return {
    location: metadata.location,
    orphans,
    bytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    tooYoung: unreachable.length - orphans.length,
  }
}

/**
 * The states of killed loads, and what they name, as long as a load has written to one within the retention: the next
 * load goes on with them. Older ones are closed before they are removed, so that none can any more.
 */
async function waitingFiles(
  unreachable: readonly ObjectInfo[],
  youngestMs: number,
  { dryRun }: OrphanRequest,
  store: ObjectStore,
): Promise<WaitingFiles> {
  const files = new Set<string>()
  const closed: string[] = []
  for (const state of await readLoadStates(store, unreachable)) {
    if (state.plan.kind === 'closed') continue
    const isOld = lastWritten(state) < youngestMs
    if (isOld && dryRun === true) continue
    if (isOld && (await closeState(store, state))) {
      closed.push(state.folder)
      continue
    }
    const checkpoints = await readCheckpoints(store, state)
    const named = checkpoints.flatMap(({ dataFiles }) => dataFiles.map(({ filePath }) => filePath))
    for (const location of [...state.objects.map((object) => object.location), ...named])
      files.add(sameLocation(location))
  }
  return { files, closed }
}

type WaitingFiles = {
  readonly files: ReadonlySet<string>
  /** Folders of states that nobody goes on with any more. */
  readonly closed: readonly string[]
}

async function reachableFiles(
  identifier: TableIdentifier,
  { catalog, store }: Components,
): Promise<ReadonlySet<string>> {
  const { metadata, metadataLocation } = await catalog.loadTable(identifier)
  if (metadataLocation === undefined) {
    throw new FloeError('internal', `${tableName(identifier)} has no metadata file`)
  }
  const files = await findReachableFiles(store, metadata, metadataLocation)
  return new Set([...files].map(sameLocation))
}

function assertOwnLocation({ identifier, ownLocation }: OrphanRequest, metadata: TableMetadata): void {
  const { location, tableUuid, properties } = metadata
  const name = tableName(identifier)
  if (properties['gc.enabled'] === 'false') {
    throw new FloeError('unsupported', `files of ${name} may belong to others: gc.enabled is false`, {
      hint: 'set gc.enabled to true when the table alone has them',
    })
  }
  if (ownLocation === true || location.replace(/\/+$/, '').endsWith(tableUuid.slice(0, 8))) return
  throw new FloeError('invalid-input', `${name} is at ${location}, which other tables may share`, {
    hint: 'give --own-location when nothing but this table is below it',
  })
}

/** One spelling of all that name an object: `s3a` and `s3n` are `s3`, and `file:/x`, `file:///x` and `/x` are one. */
function sameLocation(location: string): string {
  return location.replace(/^s3[an]:\/\//, 's3://').replace(/^file:\/*(?=\/)/, '')
}

async function removeAll(store: ObjectStore, files: readonly ObjectInfo[]): Promise<void> {
  for (let start = 0; start < files.length; start += deletedAtOnceMax) {
    await store.delete(files.slice(start, start + deletedAtOnceMax).map(({ location }) => location))
  }
}
