import { FloeError } from '@floe/iceberg'
import type { LoadedTable, LoadedView, LoadOptions } from '@floe/catalog'
import { isMetadataTableName } from '@floe/planner'
import type { MetadataTableName } from '@floe/planner'

import { findTable, findTableExactly } from './table-lookup.ts'
import type { TableCatalog } from './table-lookup.ts'
import { findView, findViewExactly } from './view-lookup.ts'
import { versionOfSuffix } from './version-suffix.ts'
import type { NamedVersion } from './version-suffix.ts'

/** What the name of a mention stands for. */
export type MentionTarget =
  | { readonly kind: 'table'; readonly loaded: LoadedTable; readonly version?: NamedVersion }
  | { readonly kind: 'metadata-table'; readonly loaded: LoadedTable; readonly name: MetadataTableName }
  | { readonly kind: 'changes'; readonly loaded: LoadedTable }
  | { readonly kind: 'view'; readonly loaded: LoadedView }

/**
 * Finds what a name means. What is written exactly comes first, then other spellings:
 * `"orders$files"`; a table; a view; `orders.files` and `orders.branch_x`, when there is no such table.
 * `options` are for a table that is named without more; metadata tables and named versions get all snapshots.
 * @throws FloeError not-found with near names, invalid-input when several tables fit
 */
export async function findTarget(
  catalog: TableCatalog,
  path: readonly string[],
  options: LoadOptions = {},
): Promise<MentionTarget> {
  const target =
    (await findMetadataTable(catalog, path)) ??
    tableTarget(await findTableExactly(catalog, path, options)) ??
    viewTarget(await findViewExactly(catalog, path)) ??
    (await findPart(path, (base) => findTableExactly(catalog, base)))
  if (target !== undefined) return target
  try {
    return { kind: 'table', loaded: await findTable(catalog, path, options) }
  } catch (error) {
    const other =
      viewTarget(await findView(catalog, path)) ??
      (await findPart(path, (base) => findIfKnown(() => findTable(catalog, base))))
    if (other === undefined) throw error
    return other
  }
}

function tableTarget(loaded: LoadedTable | undefined): MentionTarget | undefined {
  return loaded === undefined ? undefined : { kind: 'table', loaded }
}

function viewTarget(loaded: LoadedView | undefined): MentionTarget | undefined {
  return loaded === undefined ? undefined : { kind: 'view', loaded }
}

/** `"orders$files"`, the spelling of Trino. */
async function findMetadataTable(
  catalog: TableCatalog,
  path: readonly string[],
): Promise<MentionTarget | undefined> {
  const [, base = '', name = ''] = /^(.+)\$([A-Za-z_]+)$/.exec(path.at(-1) ?? '') ?? []
  const known = name.toLowerCase()
  if (!isPartName(known)) return undefined
  const loaded = await findIfKnown(() => findTable(catalog, [...path.slice(0, -1), base]))
  return loaded === undefined ? undefined : partTarget(loaded, known)
}

/** `orders.files`, `orders.branch_audit`: the spelling of Spark. */
async function findPart(
  path: readonly string[],
  find: (base: readonly string[]) => Promise<LoadedTable | undefined>,
): Promise<MentionTarget | undefined> {
  const part = path.at(-1) ?? ''
  const name = part.toLowerCase()
  const version = versionOfSuffix(part)
  if (path.length < 2 || (!isPartName(name) && version === undefined)) return undefined
  const loaded = await find(path.slice(0, -1))
  if (loaded === undefined) return undefined
  if (version !== undefined) return { kind: 'table', loaded, version }
  return partTarget(loaded, name)
}

/** Changes are rows of the table, not of its metadata, and are named in the same way. */
const changesName = 'changes'

function isPartName(name: string): boolean {
  return name === changesName || isMetadataTableName(name)
}

function partTarget(loaded: LoadedTable, name: string): MentionTarget | undefined {
  if (name === changesName) return { kind: 'changes', loaded }
  return isMetadataTableName(name) ? { kind: 'metadata-table', loaded, name } : undefined
}

const absent: ReadonlySet<string> = new Set(['not-found', 'permission-denied'])

async function findIfKnown(find: () => Promise<LoadedTable>): Promise<LoadedTable | undefined> {
  try {
    return await find()
  } catch (error) {
    // Another reading of the name may be a table that is not denied.
    if (error instanceof FloeError && absent.has(error.code)) return undefined
    throw error
  }
}
