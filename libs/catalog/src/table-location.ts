import { joinLocation } from '@floe/storage'
import type { Namespace, TableIdentifier } from './catalog.ts'

/** Properties of a namespace; `undefined` when there is none of that name. */
export type Namespaces = {
  findNamespace(namespace: Namespace): Promise<Readonly<Record<string, string>> | undefined>
}

/** Hex digits of the uuid that end the name of its folder. */
const suffixDigits = 8

/**
 * Where a table or view goes whose creator names no location: `<base>/<namespace levels>/<name>-<8 hex digits of its uuid>`.
 * The digits are always there, so that a table that is made again, or takes a renamed table's old name, never shares
 * a folder with its predecessor. `base` is the `location` property of the nearest namespace that has one (its own
 * levels are left out then), or else the warehouse.
 */
export async function defaultLocation(
  rows: Namespaces,
  warehouse: string,
  { namespace, name }: TableIdentifier,
  relationUuid: string,
): Promise<string> {
  const { base, levels } = await baseOf(rows, warehouse, namespace)
  const folder = `${pathSegment(name)}-${relationUuid.replaceAll('-', '').slice(0, suffixDigits)}`
  return joinLocation(base, ...levels.map(pathSegment), folder)
}

/** The folder of a namespace: below it, or in what its `location` property names, go the tables that name no other. */
export async function namespaceLocation(
  rows: Namespaces,
  warehouse: string,
  namespace: Namespace,
): Promise<string> {
  const { base, levels } = await baseOf(rows, warehouse, namespace)
  return joinLocation(base, ...levels.map(pathSegment))
}

async function baseOf(
  rows: Namespaces,
  warehouse: string,
  namespace: Namespace,
): Promise<{ readonly base: string; readonly levels: Namespace }> {
  for (let depth = namespace.length; depth > 0; depth--) {
    const properties = await rows.findNamespace(namespace.slice(0, depth))
    const location = properties?.['location']
    if (location !== undefined) return { base: location, levels: namespace.slice(depth) }
  }
  return { base: warehouse, levels: namespace }
}

/**
 * A name as one path segment. Readers disagree on whether locations are percent-decoded, so only characters that
 * mean the same to all of them are kept; the digits of the uuid keep names apart that become equal by it.
 */
function pathSegment(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/gu, '_').replace(/^\.+/, '_')
}
