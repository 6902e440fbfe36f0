import { FloeError } from '@floe/iceberg'
import type { TableIdentifier } from '../catalog.ts'
import { noSuchTable } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { loadCurrentTable } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import { findReachableFiles } from './reachable-files.ts'

/** Removes the name. With `purge`, the files after it: a crash between leaves files, never a table without them. */
export async function dropTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  purge: boolean,
): Promise<void> {
  checkIdentifier(identifier)
  if (purge) return purgeTable(context, identifier)
  if (!(await context.rows.deleteTable(identifier))) throw noSuchTable(identifier)
}

async function purgeTable(context: CatalogContext, identifier: TableIdentifier): Promise<void> {
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const { row, metadata } = await loadCurrentTable(context, identifier)
    const files = await findReachableFiles(context.store, metadata, row.metadataLocation)
    // Only what was looked at may be removed: a commit that came meanwhile has files of its own.
    if (await context.rows.deleteTable(identifier, row.metadataLocation))
      return context.files.remove([...files])
  }
  throw new FloeError(
    'commit-conflict',
    `${formatIdentifier(identifier)} was changed by others during every purge`,
    {
      retryable: true,
      hint: 'stop its writers, then drop it',
    },
  )
}
