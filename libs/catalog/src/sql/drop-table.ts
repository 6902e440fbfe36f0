import type { LoadedTable, TableIdentifier } from '../catalog.ts'
import { noSuchRelation, overtaken } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { loadCurrent } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import { findReachableFiles } from '../reachable-files.ts'

/** Removes the name. With `purge`, the files after it: a crash between leaves files, never a table without them. */
export async function dropTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  purge: boolean,
): Promise<void> {
  checkIdentifier(identifier)
  if (purge) return purgeTable(context, identifier)
  if (!(await context.rows.deleteRelation('table', identifier))) throw noSuchRelation('table', identifier)
}

async function purgeTable(context: CatalogContext, identifier: TableIdentifier): Promise<void> {
  const { rows, tables, store } = context
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const { row, metadata } = await loadCurrent(rows, tables, identifier)
    const files = await findReachableFiles(store, metadata, row.metadataLocation)
    // Only what was looked at may be removed: a commit that came meanwhile has files of its own.
    if (await rows.deleteRelation('table', identifier, row.metadataLocation)) return tables.remove([...files])
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}

/** Removes the name at exactly the commit that is handed back: what comes later finds no table. */
export async function unregisterTable(
  context: CatalogContext,
  identifier: TableIdentifier,
): Promise<LoadedTable> {
  const { rows, tables } = context
  checkIdentifier(identifier)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const { row, metadata } = await loadCurrent(rows, tables, identifier)
    const { metadataLocation } = row
    if (await rows.deleteRelation('table', identifier, metadataLocation))
      return { identifier, metadata, metadataLocation, config: {} }
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}
