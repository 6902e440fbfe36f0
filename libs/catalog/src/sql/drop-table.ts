import type { LoadedTable, TableIdentifier } from '../catalog.ts'
import { isProtected, noSuchRelation, overtaken } from '../catalog-error.ts'
import type { RelationKind } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { loadCurrent } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { Removal } from './catalog-store.ts'
import { findPurgeableFiles } from './purgeable-files.ts'

/**
 * Removes the name. With `purge`, the files after it: a crash between leaves files, never a table without them. While
 * dropped tables are kept, no file goes before its table expires.
 */
export async function dropTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  purge: boolean,
): Promise<void> {
  checkIdentifier(identifier)
  if (purge && context.dropRetentionMs === 0) return purgeTable(context, identifier)
  await dropRelation(context, 'table', identifier, purge)
}

export async function dropView(context: CatalogContext, identifier: TableIdentifier): Promise<void> {
  checkIdentifier(identifier)
  await dropRelation(context, 'view', identifier, false)
}

async function dropRelation(
  { rows, clock, dropRetentionMs }: CatalogContext,
  kind: RelationKind,
  identifier: TableIdentifier,
  isPurge: boolean,
): Promise<void> {
  const retention = dropRetentionMs > 0 ? { expiresAtMs: clock.now() + dropRetentionMs } : {}
  const outcome = await rows.deleteRelation(kind, identifier, { action: 'drop', isPurge, ...retention })
  if (outcome === 'not-found') throw noSuchRelation(kind, identifier)
  if (outcome === 'protected') throw isProtected(kind, formatIdentifier(identifier))
}

async function purgeTable(context: CatalogContext, identifier: TableIdentifier): Promise<void> {
  const { rows, tables } = context
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const { row, metadata } = await loadCurrent(rows, tables, identifier)
    const files = await findPurgeableFiles(context, metadata, row.metadataLocation)
    // Only what was looked at may be removed: a commit that came meanwhile has files of its own.
    if (await removeAt(context, identifier, { action: 'drop', isPurge: true }, row.metadataLocation))
      return tables.remove(files)
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
    if (await removeAt(context, identifier, { action: 'unregister' }, metadataLocation))
      return { identifier, metadata, metadataLocation, config: {} }
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}

/** Whether the table was at `location` still. */
async function removeAt(
  { rows }: CatalogContext,
  identifier: TableIdentifier,
  removal: Removal,
  location: string,
): Promise<boolean> {
  const outcome = await rows.deleteRelation('table', identifier, removal, location)
  if (outcome === 'protected') throw isProtected('table', formatIdentifier(identifier))
  return outcome === 'removed'
}
