import { isWithin, placesOf, tableFolders } from '@floe/catalog'
import type { Catalog, Namespace, TableIdentifier } from '@floe/catalog'
import { toFloeError } from '@floe/iceberg'
import type { Need } from './request-access.ts'

/** A warehouse as access rules see it. */
export type AccessWarehouse = {
  readonly name: string
  readonly location?: string
  readonly catalog: Catalog
}

/**
 * What a client needs who says where files of a namespace go. Inside of the namespace's own folder nothing: what is
 * there is the namespace's. Elsewhere they could be the files of others, and whoever may write a table gets to read and
 * write at its location.
 * @param of  `namespace` when it is the location of the namespace itself
 */
export async function locationNeeds(
  { catalog, location: warehouse }: AccessWarehouse,
  namespace: Namespace,
  places: readonly unknown[],
  of: 'tables' | 'namespace' = 'tables',
): Promise<readonly Need[]> {
  const given = places.filter((place) => place !== undefined && place !== null)
  if (given.length === 0) return []
  // The folder that a namespace says is its own is none to compare its next one with.
  const depth = of === 'tables' ? namespace.length : namespace.length - 1
  const folder = warehouse === undefined ? undefined : await folderOf(catalog, warehouse, namespace, depth)
  const isInside = (place: unknown): boolean => folder !== undefined && isWithinAny(place, [folder])
  return given.every(isInside) ? [] : [{ privilege: 'manage', on: { kind: 'warehouse' } }]
}

/** As much of an update of a table or view as says where files are. */
export type LocatingUpdate = {
  readonly location?: unknown
  readonly updates?: Readonly<Record<string, unknown>> | null | undefined
  readonly snapshot?: unknown
  readonly statistics?: unknown
  readonly 'partition-statistics'?: unknown
}

/**
 * What a client needs who commits updates. Files and places in the table's own folders nothing. Others in the folder of
 * the namespace could be those of a table beside it: who may only write this one could plan, read and purge them.
 * @param own  the folders of the table or view as it is; none of one that is being made
 */
export async function updateNeeds(
  warehouse: AccessWarehouse,
  { namespace }: TableIdentifier,
  updates: readonly LocatingUpdate[],
  own: () => Promise<readonly string[]>,
): Promise<readonly Need[]> {
  const places = updates.flatMap(({ location, updates: properties }) =>
    [location, ...placesOf(properties ?? {})].filter((place) => place !== undefined && place !== null),
  )
  const files = updates.flatMap(filesOf)
  if (places.length === 0 && files.length === 0) return []
  const folders = await own()
  const next = [...folders, ...places.filter((place) => typeof place === 'string')]
  const others = [
    ...places.filter((place) => !isWithinAny(place, folders)),
    ...files.filter((file) => !isWithinAny(file, next)),
  ]
  if (others.length === 0) return []
  const beyond = await locationNeeds(warehouse, namespace, others)
  return beyond.length > 0 ? beyond : [{ privilege: 'write', on: { kind: 'namespace', namespace } }]
}

/** The files that an update names; those that they name in turn are the writer's to answer for. */
function filesOf(update: LocatingUpdate): readonly unknown[] {
  const snapshot = membersOf(update.snapshot)
  const { manifests } = snapshot
  const statistics = [update.statistics, update['partition-statistics']].map(membersOf)
  return [
    snapshot['manifest-list'],
    ...(Array.isArray(manifests) ? (manifests as readonly unknown[]) : []),
    ...statistics.map((members) => members['statistics-path']),
  ].filter((file) => file !== undefined && file !== null)
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** The folders of a table; none while there is no such table. */
export async function foldersOfTable(
  { catalog }: AccessWarehouse,
  identifier: TableIdentifier,
): Promise<readonly string[]> {
  const table = await unlessMissing(() => catalog.loadTable(identifier))
  return table === undefined ? [] : tableFolders(table.metadata)
}

export async function foldersOfView(
  { catalog }: AccessWarehouse,
  identifier: TableIdentifier,
): Promise<readonly string[]> {
  const view = await unlessMissing(() => catalog.loadView(identifier))
  return view === undefined ? [] : [view.metadata.location]
}

function isWithinAny(place: unknown, folders: readonly string[]): boolean {
  return typeof place === 'string' && folders.some((folder) => isWithin(place, folder))
}

/** Where the catalog puts tables of the namespace that name no location of their own. */
async function folderOf(
  catalog: Catalog,
  warehouse: string,
  namespace: Namespace,
  depthMax: number,
): Promise<string> {
  for (let depth = depthMax; depth > 0; depth--) {
    const above = namespace.slice(0, depth)
    const location = (await unlessMissing(() => catalog.loadNamespace(above)))?.['location']
    if (location !== undefined) return joined(location, namespace.slice(depth))
  }
  return joined(warehouse, namespace)
}

async function unlessMissing<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load()
  } catch (error) {
    if (toFloeError(error).code === 'not-found') return undefined
    throw error
  }
}

function joined(base: string, levels: Namespace): string {
  const segments = levels.map((level) => level.replaceAll(/[^A-Za-z0-9._-]/gu, '_').replace(/^\.+/, '_'))
  return [base.replace(/\/+$/, ''), ...segments].join('/')
}
