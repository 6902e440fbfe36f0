import { FloeError } from '@floe/iceberg'
import type { TableMetadata, ViewMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { TableIdentifier } from '../catalog.ts'
import { nameTaken, noSuchNamespace, noSuchRelation } from '../catalog-error.ts'
import type { RelationKind } from '../catalog-error.ts'
import type { CatalogSignal } from '../catalog-signal.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import type { CatalogStore, RelationRow } from './catalog-store.ts'
import type { MetadataFiles } from '../metadata-files.ts'

/** What every operation on tables and views works with. */
export type CatalogContext = {
  readonly rows: CatalogStore
  readonly tables: MetadataFiles<TableMetadata>
  readonly views: MetadataFiles<ViewMetadata>
  readonly store: ObjectStore
  readonly warehouse: string
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly commitAttemptsMax: number
  /** How long dropped tables and views can be brought back; 0 when they are gone at once. */
  readonly dropRetentionMs: number
  readonly onSignal?: (signal: CatalogSignal) => void
}

export type Current<M> = { readonly row: RelationRow; readonly metadata: M }

/** Times that a metadata file may vanish, because commits moved on and cleaned up, before it counts as lost. */
const vanishedReadsMax = 5

/** The row and metadata of a table or view; `undefined` when there is none. `load` reads one metadata file. */
export async function findCurrent<M>(
  rows: CatalogStore,
  files: MetadataFiles<M>,
  identifier: TableIdentifier,
  load: (location: string) => Promise<M> = (location) => files.load(location),
): Promise<Current<M> | undefined> {
  const { kind } = files.format
  for (let attempt = 1; ; attempt++) {
    const row = await rows.findRelation(kind, identifier)
    if (row === undefined) return undefined
    try {
      const metadata = await load(row.metadataLocation)
      checkUuid(identifier, row, files.format.uuidOf(metadata), kind)
      return { row, metadata }
    } catch (error) {
      if (!(error instanceof FloeError) || error.code !== 'not-found') throw error
      const moved = (await rows.findRelation(kind, identifier))?.metadataLocation !== row.metadataLocation
      if (!moved || attempt >= vanishedReadsMax) throw lostMetadata(identifier, row, kind, error)
    }
  }
}

export async function loadCurrent<M>(
  rows: CatalogStore,
  files: MetadataFiles<M>,
  identifier: TableIdentifier,
  load?: (location: string) => Promise<M>,
): Promise<Current<M>> {
  const current = await findCurrent(rows, files, identifier, load)
  if (current === undefined) throw noSuchRelation(files.format.kind, identifier)
  return current
}

/** Fails early, before anything is written; the insert decides. */
export async function checkNameIsFree(
  { rows }: CatalogContext,
  kind: RelationKind,
  identifier: TableIdentifier,
): Promise<void> {
  checkIdentifier(identifier)
  if ((await rows.findNamespace(identifier.namespace)) === undefined)
    throw noSuchNamespace(identifier.namespace)
  const holder = await rows.findKind(identifier)
  if (holder !== undefined) throw nameTaken(kind, holder, identifier)
}

// Spec "Table Metadata Fields", table-uuid: readers must refuse metadata whose uuid is not the one they expect.
function checkUuid(identifier: TableIdentifier, row: RelationRow, uuid: string, kind: RelationKind): void {
  if (uuid === row.uuid) return
  const message = `${formatIdentifier(identifier)}: ${row.metadataLocation} is of ${kind} ${uuid}, not ${row.uuid}`
  throw new FloeError('corrupt-data', message, {
    hint: 'something has overwritten the metadata file; restore it',
  })
}

/** Its cause is a `not-found`, which tells it from other damage. The message starts as Java's does, which clients look at. */
function lostMetadata(
  identifier: TableIdentifier,
  row: RelationRow,
  kind: RelationKind,
  cause: FloeError,
): FloeError {
  const previous = row.previousMetadataLocation
  const message = `Failed to open input stream for file: ${row.metadataLocation} (the metadata of ${kind} ${formatIdentifier(identifier)} is gone)`
  const older = previous === undefined ? '' : ` (${previous})`
  return new FloeError('corrupt-data', message, {
    hint: `restore the file, or drop the ${kind} without purge and register an older one${older}`,
    cause,
  })
}
