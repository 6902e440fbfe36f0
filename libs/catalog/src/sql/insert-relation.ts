import { toFloeError } from '@floe/iceberg'
import type { FloeError } from '@floe/iceberg'
import type { TableIdentifier } from '../catalog.ts'
import { nameTaken, noSuchNamespace, uuidTaken } from '../catalog-error.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { CatalogStore, ChangeOutcome, RowChange } from './catalog-store.ts'
import type { MetadataFiles } from './metadata-files.ts'
import { newMetadataLocation } from './metadata-location.ts'
import { publishMetadata } from './publish-metadata.ts'

type Placed = { readonly location: string; readonly properties: Readonly<Record<string, string>> }

/**
 * Writes the first metadata file of a table or view and its row; of two racing creators one wins, the other leaves no
 * file. Returns the file's location.
 */
export async function insertRelation<M extends Placed>(
  { rows, uuid }: CatalogContext,
  files: MetadataFiles<M>,
  identifier: TableIdentifier,
  metadata: M,
): Promise<string> {
  const location = newMetadataLocation(metadata, undefined, uuid())
  const change = insertOf(files, identifier, metadata, location)
  const outcome = await publishMetadata(files, [{ metadata, location }], {
    point: () => applyChanges(rows, [change]),
    isPointed: ({ kind }) => kind === 'applied',
  })
  if (outcome.kind !== 'applied') throw await changeError(rows, outcome)
  return location
}

export function insertOf<M>(
  { format }: MetadataFiles<M>,
  identifier: TableIdentifier,
  metadata: M,
  metadataLocation: string,
): RowChange {
  return {
    kind: 'insert',
    relation: format.kind,
    identifier,
    uuid: format.uuidOf(metadata),
    metadataLocation,
  }
}

/** An unclear answer of the store is settled by looking at a row: where one is, all are. */
export async function applyChanges(
  rows: CatalogStore,
  changes: readonly RowChange[],
): Promise<ChangeOutcome> {
  try {
    return await rows.applyChanges(changes)
  } catch (error) {
    if (toFloeError(error).code !== 'commit-state-unknown') throw error
    const written = changes.find((change) => change.kind !== 'check')
    if (written === undefined) throw error
    const found = await rows.findRelation(written.relation, written.identifier).catch(() => undefined)
    if (found?.metadataLocation !== written.metadataLocation) throw error
    return { kind: 'applied' }
  }
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
    case 'uuid-taken':
      return uuidTaken(relation, identifier)
    default:
      return nameTaken(relation, (await rows.findKind(identifier)) ?? relation, identifier)
  }
}
