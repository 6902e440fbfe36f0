import { toFloeError } from '@floe/iceberg'
import type { FloeError } from '@floe/iceberg'
import type { TableIdentifier } from '../catalog.ts'
import { isProtected, nameTaken, noSuchNamespace, uuidTaken } from '../catalog-error.ts'
import { formatIdentifier } from '../identifier.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { CatalogStore, ChangeOutcome, RowChange } from './catalog-store.ts'
import type { MetadataFiles } from '../metadata-files.ts'
import { newMetadataLocation } from '../metadata-location.ts'
import { publishMetadata } from '../publish-metadata.ts'

type Placed = { readonly location: string; readonly properties: Readonly<Record<string, string>> }

/**
 * Writes the first metadata file of a table or view and its row; of two racing creators one wins, the other leaves no
 * file. Returns the file's location.
 */
export async function insertRelation<M extends Placed>(
  context: CatalogContext,
  files: MetadataFiles<M>,
  identifier: TableIdentifier,
  metadata: M,
): Promise<string> {
  const location = newMetadataLocation(metadata, undefined, context.uuid())
  const change = insertOf(files, identifier, metadata, location)
  const outcome = await publishMetadata(files, [{ metadata, location }], {
    point: () => applyChanges(context, [change]),
    isPointed: ({ kind }) => kind === 'applied',
  })
  if (outcome.kind !== 'applied') throw await changeError(context.rows, outcome)
  return location
}

export function insertOf<M>(
  { format }: MetadataFiles<M>,
  identifier: TableIdentifier,
  metadata: M,
  metadataLocation: string,
  action: 'create' | 'register' = 'create',
): RowChange {
  return {
    kind: 'insert',
    action,
    relation: format.kind,
    identifier,
    uuid: format.uuidOf(metadata),
    metadataLocation,
  }
}

/** An unclear answer of the store is settled by looking at one of the relations: where one is changed, all are. */
export async function applyChanges(
  context: CatalogContext,
  changes: readonly RowChange[],
): Promise<ChangeOutcome> {
  try {
    return await context.rows.applyChanges(changes)
  } catch (error) {
    if (toFloeError(error).code !== 'commit-state-unknown') throw error
    const written = changes.find((change) => change.kind !== 'check')
    if (written === undefined || !(await isCommitted(context, written).catch(() => false))) throw error
    return { kind: 'applied' }
  }
}

/** The file of a change has a name of its own: wherever it stands in the history, the change has happened. */
async function isCommitted(
  { rows, tables }: CatalogContext,
  { relation, identifier, metadataLocation }: Exclude<RowChange, { kind: 'check' }>,
): Promise<boolean> {
  const found = await rows.findRelation(relation, identifier)
  if (found === undefined) return false
  if ([found.metadataLocation, found.previousMetadataLocation].includes(metadataLocation)) return true
  if (relation === 'view') return false
  const { metadataLog } = await tables.load(found.metadataLocation)
  return metadataLog.some(({ metadataFile }) => metadataFile === metadataLocation)
}

/** Why a set of changes did not happen, where trying again cannot help. */
export async function changeError(
  rows: CatalogStore,
  { kind, change }: Exclude<ChangeOutcome, { kind: 'applied' }>,
): Promise<FloeError> {
  const { relation, identifier } = change
  switch (kind) {
    case 'no-namespace':
      return noSuchNamespace(identifier.namespace)
    case 'protected':
      return isProtected(relation, formatIdentifier(identifier))
    case 'uuid-taken':
      return uuidTaken(relation, identifier)
    default:
      return nameTaken(relation, (await rows.findKind(identifier)) ?? relation, identifier)
  }
}
