import type { LoadedTable, LoadedView, TableIdentifier } from '../catalog.ts'
import { noSuchNamespace, nameTaken, overtaken } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { checkNameIsFree } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { RowChange } from './catalog-store.ts'
import { applyChanges, changeError, insertOf } from './insert-relation.ts'

/** Makes a table whose metadata file is there already visible under a name. */
export async function registerTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
  overwrite: boolean,
): Promise<LoadedTable> {
  if (overwrite) return overwriteTable(context, identifier, metadataLocation)
  await checkNameIsFree(context, 'table', identifier)
  const metadata = await context.tables.loadForeign(metadataLocation)
  await insertRegistered(
    context,
    insertOf(context.tables, identifier, metadata, metadataLocation, 'register'),
  )
  return { identifier, metadata, metadataLocation, config: {} }
}

export async function registerView(
  context: CatalogContext,
  identifier: TableIdentifier,
  metadataLocation: string,
): Promise<LoadedView> {
  await checkNameIsFree(context, 'view', identifier)
  const metadata = await context.views.loadForeign(metadataLocation)
  await insertRegistered(context, insertOf(context.views, identifier, metadata, metadataLocation, 'register'))
  return { identifier, metadata, metadataLocation, config: {} }
}

async function insertRegistered(context: CatalogContext, change: RowChange): Promise<void> {
  const outcome = await applyChanges(context, [change])
  if (outcome.kind !== 'applied') throw await changeError(context.rows, outcome)
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
  const metadata = await tables.loadForeign(metadataLocation)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    if ((await rows.findKind(identifier)) === 'view') throw nameTaken('table', 'view', identifier)
    const from = await rows.findRelation('table', identifier)
    const insert = insertOf(tables, identifier, metadata, metadataLocation, 'register')
    const { relation } = insert
    const change: RowChange =
      from === undefined
        ? insert
        : {
            kind: 'swap',
            action: 'register',
            relation,
            identifier,
            from,
            uuid: metadata.tableUuid,
            metadataLocation,
          }
    const outcome = await applyChanges(context, [change])
    if (outcome.kind === 'applied') return { identifier, metadata, metadataLocation, config: {} }
    if (outcome.kind !== 'lost' && outcome.kind !== 'name-taken') throw await changeError(rows, outcome)
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}
