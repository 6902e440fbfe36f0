import { FloeError, newTableMetadata } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { LoadedTable, TableDefinition, TableIdentifier } from '../catalog.ts'
import { noSuchNamespace, tableExists } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { InsertOutcome } from './catalog-store.ts'
import { newMetadataLocation } from './metadata-location.ts'
import { publishMetadata } from './publish-metadata.ts'
import { defaultTableLocation } from './table-location.ts'

export async function createTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  const metadata = await newTable(context, identifier, definition)
  return insertNewTable(context, identifier, metadata, () => tableExists(identifier))
}

export async function stageTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<LoadedTable> {
  const metadata = await newTable(context, identifier, definition)
  return { identifier, metadata, metadataLocation: undefined, config: {} }
}

/** Makes a table whose metadata file is there already visible under a name. */
export async function registerTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
): Promise<LoadedTable> {
  await checkNameIsFree(context, identifier)
  const metadata = await loadForeignMetadata(context, metadataLocation)
  const outcome = await context.rows.insertTable(identifier, { uuid: metadata.tableUuid, metadataLocation })
  if (outcome !== 'inserted') throw insertError(outcome, identifier, () => tableExists(identifier))
  return { identifier, metadata, metadataLocation, config: {} }
}

/** Writes the first metadata file of a table and its row; of two racing creators one wins, the other leaves no file. */
export async function insertNewTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadata: TableMetadata,
  nameTaken: () => FloeError,
): Promise<LoadedTable> {
  const { rows, files, uuid } = context
  const metadataLocation = newMetadataLocation(metadata, undefined, uuid())
  const outcome = await publishMetadata(files, metadata, metadataLocation, {
    point: () => rows.insertTable(identifier, { uuid: metadata.tableUuid, metadataLocation }),
    isPointed: (insert) => insert === 'inserted',
  })
  if (outcome !== 'inserted') throw insertError(outcome, identifier, nameTaken)
  return { identifier, metadata, metadataLocation, config: {} }
}

async function newTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  definition: TableDefinition,
): Promise<TableMetadata> {
  await checkNameIsFree(context, identifier)
  const { schema, partitionSpec, sortOrder, properties } = definition
  const tableUuid = context.uuid()
  const location =
    definition.location ??
    (await defaultTableLocation(context.rows, context.warehouse, identifier, tableUuid))
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

/** Fails early, before anything is written; the insert decides. */
async function checkNameIsFree({ rows }: CatalogContext, identifier: TableIdentifier): Promise<void> {
  checkIdentifier(identifier)
  if ((await rows.findNamespace(identifier.namespace)) === undefined)
    throw noSuchNamespace(identifier.namespace)
  if ((await rows.findTable(identifier)) !== undefined) throw tableExists(identifier)
}

async function loadForeignMetadata({ files }: CatalogContext, location: string): Promise<TableMetadata> {
  const metadata = await files.load(location).catch((error: unknown) => {
    // For the caller `not-found` is a missing namespace; a missing file is a wrong argument.
    if (!(error instanceof FloeError) || error.code !== 'not-found') throw error
    throw new FloeError('invalid-input', `there is no metadata file at ${location}`, { cause: error })
  })
  if (metadata.tableUuid !== '') return metadata
  throw new FloeError('unsupported', `the table at ${location} has no uuid`, {
    hint: 'commit to it once with a writer that assigns one (format version 1 did not ask for it)',
  })
}

function insertError(
  outcome: Exclude<InsertOutcome, 'inserted'>,
  identifier: TableIdentifier,
  nameTaken: () => FloeError,
): FloeError {
  switch (outcome) {
    case 'name-taken':
      return nameTaken()
    case 'no-namespace':
      return noSuchNamespace(identifier.namespace)
    case 'uuid-taken':
      return new FloeError(
        'already-exists',
        `${formatIdentifier(identifier)}: its table uuid is registered under another name already`,
        // Two names over one set of files would let one name's cleanup delete what the other still reads.
        { hint: 'use that table, rename it, or drop it without purge first' },
      )
  }
}
