import type { Catalog, Namespace } from '@floe/catalog'
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
  const isInside = (place: unknown): boolean =>
    folder !== undefined && typeof place === 'string' && isBelow(place, folder)
  return given.every(isInside) ? [] : [{ privilege: 'manage', on: { kind: 'warehouse' } }]
}

/** Spelled exactly so, and without a way out. */
function isBelow(place: string, folder: string): boolean {
  if (!`${place}/`.startsWith(`${folder.replace(/\/+$/, '')}/`)) return false
  return !place.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
}

/** Where the catalog puts tables of the namespace that name no location of their own. */
async function folderOf(
  catalog: Catalog,
  warehouse: string,
  namespace: Namespace,
  depthMax: number,
): Promise<string> {
  for (let depth = depthMax; depth > 0; depth--) {
    const location = await locationOf(catalog, namespace.slice(0, depth))
    if (location !== undefined) return joined(location, namespace.slice(depth))
  }
  return joined(warehouse, namespace)
}

async function locationOf(catalog: Catalog, namespace: Namespace): Promise<string | undefined> {
  try {
    return (await catalog.loadNamespace(namespace))['location']
  } catch (error) {
    if (toFloeError(error).code === 'not-found') return undefined
    throw error
  }
}

function joined(base: string, levels: Namespace): string {
  const segments = levels.map((level) => level.replaceAll(/[^A-Za-z0-9._-]/gu, '_').replace(/^\.+/, '_'))
  return [base.replace(/\/+$/, ''), ...segments].join('/')
}
