import type { LoadedTable, TableDefinition, TableIdentifier } from '../catalog.ts'
import { newTable } from '../new-table.ts'
import { checkNameIsFree } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import { insertRelation } from './insert-relation.ts'

export async function createTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  await checkNameIsFree(context, 'table', identifier)
  const metadata = await newTable(context, identifier, definition)
  const metadataLocation = await insertRelation(context, context.tables, identifier, metadata)
  return { identifier, metadata, metadataLocation, config: {} }
}

export async function stageTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  await checkNameIsFree(context, 'table', identifier)
  const metadata = await newTable(context, identifier, definition)
  return { identifier, metadata, metadataLocation: undefined, config: {} }
}
