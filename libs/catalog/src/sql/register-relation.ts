import { FloeError } from '@floe/iceberg'
import type { LoadedTable, LoadedView, TableIdentifier } from '../catalog.ts'
import { noSuchNamespace, nameTaken, overtaken } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { checkNameIsFree } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { RowChange } from './catalog-store.ts'
import { applyChanges, changeError, insertOf } from './insert-relation.ts'
import type { MetadataFiles } from './metadata-files.ts'

/** Makes a table whose metadata file is there already visible under a name. */
export async function registerTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
  overwrite: boolean,
): Promise<LoadedTable> {
  if (overwrite) return overwriteTable(context, identifier, metadataLocation)
  await checkNameIsFree(context, 'table', identifier)
  const metadata = await loadForeign(context.tables, metadataLocation)
  await insertRegistered(context, insertOf(context.tables, identifier, metadata, metadataLocation))
  return { identifier, metadata, metadataLocation, config: {} }
}

export async function registerView(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
): Promise<LoadedView> {
  await checkNameIsFree(context, 'view', identifier)
  const metadata = await loadForeign(context.views, metadataLocation)
  await insertRegistered(context, insertOf(context.views, identifier, metadata, metadataLocation))
  return { identifier, metadata, metadataLocation, config: {} }
}

async function insertRegistered({ rows }: CatalogContext, change: RowChange): Promise<void> {
  const outcome = await applyChanges(rows, [change])
  if (outcome.kind !== 'applied') throw await changeError(rows, outcome)
}

/** What the name stood for keeps its files. Writers that prepared a commit on it lose, as its row is another one. */
async function overwriteTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
): Promise<LoadedTable> {
  const { rows, tables } = context
  checkIdentifier(identifier)
  if ((await rows.findNamespace(identifier.namespace)) === undefined)
    throw noSuchNamespace(identifier.namespace)
  const metadata = await loadForeign(tables, metadataLocation)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    if ((await rows.findKind(identifier)) === 'view') throw nameTaken('table', 'view', identifier)
    const from = await rows.findRelation('table', identifier)
    const insert = insertOf(tables, identifier, metadata, metadataLocation)
    const { relation } = insert
    const change: RowChange =
      from === undefined
        ? insert
        : { kind: 'swap', relation, identifier, from, uuid: metadata.tableUuid, metadataLocation }
    const outcome = await applyChanges(rows, [change])
    if (outcome.kind === 'applied') return { identifier, metadata, metadataLocation, config: {} }
    if (outcome.kind !== 'lost' && outcome.kind !== 'name-taken') throw await changeError(rows, outcome)
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}

async function loadForeign<M>(files: MetadataFiles<M>, location: string): Promise<M> {
  const metadata = await files.load(location).catch((error: unknown) => {
    // For the caller `not-found` is a missing namespace; a missing file is a wrong argument.
    if (!(error instanceof FloeError) || error.code !== 'not-found') throw error
    throw new FloeError('invalid-input', `there is no metadata file at ${location}`, { cause: error })
  })
  if (files.format.uuidOf(metadata) !== '') return metadata
  throw new FloeError('unsupported', `the table at ${location} has no uuid`, {
    hint: 'commit to it once with a writer that assigns one (format version 1 did not ask for it)',
  })
}
