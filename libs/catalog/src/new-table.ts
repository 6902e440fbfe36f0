import { newTableMetadata } from '@floe/iceberg'
import type { TableMetadata, TableUpdate } from '@floe/iceberg'
import type { TableDefinition, TableIdentifier } from './catalog.ts'
import { defaultLocation } from './table-location.ts'
import type { Namespaces } from './table-location.ts'

/** What a catalog that writes metadata files itself gives to a new table. */
export type NewTableContext = {
  readonly rows: Namespaces
  readonly warehouse: string
  readonly clock: { now(): number }
  readonly uuid: () => string
}

/** The metadata of a table that is about to be made: uuid, fresh ids, and a location unless it names one. */
export async function newTable(
  { rows, warehouse, clock, uuid }: NewTableContext,
  identifier: TableIdentifier,
  { schema, partitionSpec, sortOrder, properties, ...definition }: TableDefinition,
): Promise<TableMetadata> {
  const tableUuid = uuid()
  const location = definition.location ?? (await defaultLocation(rows, warehouse, identifier, tableUuid))
  return newTableMetadata({
    schema,
    location,
    uuid: tableUuid,
    nowMs: clock.now(),
    ...(partitionSpec === undefined ? {} : { spec: partitionSpec }),
    ...(sortOrder === undefined ? {} : { sortOrder }),
    ...(properties === undefined ? {} : { properties }),
  })
}

/** Uuid and location of a new table whose creator left them to the catalog. */
export async function missingUpdates(
  { rows, warehouse, uuid }: NewTableContext,
  identifier: TableIdentifier,
  updates: readonly TableUpdate[],
): Promise<readonly TableUpdate[]> {
  const assigned = updates.find((update) => update.action === 'assign-uuid')?.uuid
  const tableUuid = assigned ?? uuid()
  const missing: TableUpdate[] = assigned === undefined ? [{ action: 'assign-uuid', uuid: tableUuid }] : []
  if (updates.some(({ action }) => action === 'set-location')) return missing
  const location = await defaultLocation(rows, warehouse, identifier, tableUuid)
  return [...missing, { action: 'set-location', location }]
}
