import { FloeError } from '@floe/iceberg'
import type { Catalog, LoadedTable, LoadOptions, Namespace, TableIdentifier } from '@floe/catalog'

/** What the engine asks of a catalog. */
export type TableCatalog = Pick<
  Catalog,
  'listNamespaces' | 'listTables' | 'listViews' | 'loadTable' | 'loadView'
>

/** Names that an error offers at most. */
const offeredNamesMax = 5

export function tableName({ namespace, name }: TableIdentifier): string {
  return [...namespace, name].join('.')
}

/**
 * The table that name parts mean: exactly as written first, then ignoring case, then (for a bare name) in any
 * namespace, as long as only one table fits. `"a.b".t` and `a.b.t` both name `t` in the namespace `['a', 'b']`.
 * @throws FloeError not-found with near names, invalid-input when several tables fit
 */
export async function findTable(
  catalog: TableCatalog,
  path: readonly string[],
  options: LoadOptions = {},
): Promise<LoadedTable> {
  const exact = await loadReadings(catalog, path, options)
  if (exact !== undefined && !(exact instanceof FloeError)) return exact
  const all = await listAllTables(catalog)
  const fits = all.filter((identifier) => nameFits(identifier, path))
  const [only] = fits
  if (only === undefined) throw exact ?? unknownTable(path, all)
  if (fits.length > 1) {
    throw new FloeError('invalid-input', `"${path.join('.')}" may mean ${fits.map(tableName).join(' or ')}`, {
      hint: 'write the namespace and the name exactly',
    })
  }
  return catalog.loadTable(only, options)
}

/** The table that name parts mean exactly as they are written; one that is denied is none. */
export async function findTableExactly(
  catalog: TableCatalog,
  path: readonly string[],
  options: LoadOptions = {},
): Promise<LoadedTable | undefined> {
  const table = await loadReadings(catalog, path, options)
  return table instanceof FloeError ? undefined : table
}

/** The first reading that is a table, or else the first denial. */
async function loadReadings(
  catalog: TableCatalog,
  path: readonly string[],
  options: LoadOptions,
): Promise<FloeError | LoadedTable | undefined> {
  let denial: FloeError | undefined
  for (const identifier of readings(path)) {
    const table = await loadIfPresent(catalog, identifier, options)
    if (table instanceof FloeError) denial ??= table
    else if (table !== undefined) return table
  }
  return denial
}

/** The identifiers that name parts may stand for, a bare name for none. */
export function readings(path: readonly string[]): readonly TableIdentifier[] {
  const name = path.at(-1) ?? ''
  const namespace = path.slice(0, -1)
  if (namespace.length === 0) return []
  const split = namespace.flatMap((part) => part.split('.'))
  return split.length === namespace.length
    ? [{ namespace, name }]
    : [
        { namespace, name },
        { namespace: split, name },
      ]
}

async function loadIfPresent(
  catalog: TableCatalog,
  identifier: TableIdentifier,
  options: LoadOptions,
): Promise<FloeError | LoadedTable | undefined> {
  try {
    return await catalog.loadTable(identifier, options)
  } catch (error) {
    // Another reading of the name may be a table that is not denied.
    if (error instanceof FloeError && error.code === 'permission-denied') return error
    // A name that the catalog refuses as such is the name of no table either.
    if (error instanceof FloeError && (error.code === 'not-found' || error.code === 'invalid-input'))
      return undefined
    throw error
  }
}

/** Whether name parts mean an identifier when case, and for a bare name the namespace, is left out. */
export function nameFits(identifier: TableIdentifier, path: readonly string[]): boolean {
  const name = path.length === 1 ? identifier.name : tableName(identifier)
  return name.toLowerCase() === path.join('.').toLowerCase()
}

async function listAllTables(catalog: TableCatalog): Promise<readonly TableIdentifier[]> {
  const tables: TableIdentifier[] = []
  const waiting: (Namespace | undefined)[] = [undefined]
  while (waiting.length > 0) {
    const namespace = waiting.pop()
    if (namespace !== undefined) tables.push(...(await catalog.listTables(namespace)))
    waiting.push(...(await catalog.listNamespaces(namespace)))
  }
  return tables
}

function unknownTable(path: readonly string[], all: readonly TableIdentifier[]): FloeError {
  const name = path.join('.')
  const near = all
    .map((identifier) => tableName(identifier))
    .map((candidate) => ({
      candidate,
      distance: Math.min(editDistance(candidate, name), editDistance(lastPart(candidate), lastPart(name))),
    }))
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, offeredNamesMax)
    .map(({ candidate }) => candidate)
  const hint = near.length === 0 ? 'the catalog has no tables yet' : `did you mean ${near.join(', ')}?`
  return new FloeError('not-found', `no table "${name}" in the catalog`, { hint })
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** Letters to change, add or drop to make one name the other, ignoring case. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()]
  let previous = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same))
    }
    previous = row
  }
  return previous[right.length] ?? 0
}
