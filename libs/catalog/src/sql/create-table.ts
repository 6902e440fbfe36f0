import { newTableMetadata } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { LoadedTable, TableDefinition, TableIdentifier } from '../catalog.ts'
import { checkNameIsFree } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import { insertRelation } from './insert-relation.ts'
import { defaultLocation } from './table-location.ts'

export async function createTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  const metadata = await newTable(context, identifier, definition)
  const metadataLocation = await insertRelation(context, context.tables, identifier, metadata)
  return { identifier, metadata, metadataLocation, config: {} }
}

export async function stageTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  const metadata = await newTable(context, identifier, definition)
  return { identifier, metadata, metadataLocation: undefined, config: {} }
}

async function newTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<TableMetadata> {
  await checkNameIsFree(context, 'table', identifier)
  const { schema, partitionSpec, sortOrder, properties } = definition
  const tableUuid = context.uuid()
  const location =
    definition.location ?? (await defaultLocation(context.rows, context.warehouse, identifier, tableUuid))
  return newTableMetadata({
    schema,
    location,
    uuid: tableUuid,
    nowMs: context.clock.now(),
    ...(partitionSpec === undefined ? {} : { spec: partitionSpec }),
    ...(sortOrder === undefined ? {} : { sortOrder }),
    ...(properties === undefined ? {} : { properties }),
  })
}
