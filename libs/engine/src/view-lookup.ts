import { FloeError } from '@floe/iceberg'
import type { LoadedView, Namespace, TableIdentifier } from '@floe/catalog'

import { nameFits, readings } from './table-lookup.ts'
import type { TableCatalog } from './table-lookup.ts'

/** The view that name parts mean exactly as they are written. */
export async function findViewExactly(
  catalog: TableCatalog,
  path: readonly string[],
): Promise<LoadedView | undefined> {
  for (const identifier of readings(path)) {
    const view = await orNone(() => catalog.loadView(identifier))
    if (view !== undefined) return view
  }
  return undefined
}

/**
 * The view that name parts mean, ignoring case, and for a bare name in any namespace.
 * @throws FloeError invalid-input when several views fit
 */
export async function findView(
  catalog: TableCatalog,
  path: readonly string[],
): Promise<LoadedView | undefined> {
  const fits = (await listAllViews(catalog)).filter((identifier) => nameFits(identifier, path))
  const [only] = fits
  if (only === undefined) return undefined
  if (fits.length === 1) return catalog.loadView(only)
  const names = fits.map(({ namespace, name }) => [...namespace, name].join('.'))
  throw new FloeError('invalid-input', `"${path.join('.')}" may mean ${names.join(' or ')}`, {
    hint: 'write the namespace and the name exactly',
  })
}

async function listAllViews(catalog: TableCatalog): Promise<readonly TableIdentifier[]> {
  const views: TableIdentifier[] = []
  const waiting: (Namespace | undefined)[] = [undefined]
  while (waiting.length > 0) {
    const namespace = waiting.pop()
    if (namespace !== undefined) views.push(...((await orNone(() => catalog.listViews(namespace))) ?? []))
    waiting.push(...(await catalog.listNamespaces(namespace)))
  }
  return views
}

/** A catalog may not know views at all, refuse a name that no view can have, or hide what it names. */
async function orNone<Value>(load: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof FloeError && absent.has(error.code)) return undefined
    throw error
  }
}

const absent: ReadonlySet<string> = new Set([
  'not-found',
  'invalid-input',
  'permission-denied',
  'unsupported',
])
