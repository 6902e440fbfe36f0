import { FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { TableIdentifier } from '../catalog.ts'
import { noSuchTable } from '../catalog-error.ts'
import { formatIdentifier } from '../identifier.ts'
import type { CatalogStore, TableRow } from './catalog-store.ts'
import type { MetadataFiles } from './metadata-files.ts'

/** What every operation on tables works with. */
export type CatalogContext = {
  readonly rows: CatalogStore
  readonly files: MetadataFiles
  readonly store: ObjectStore
  readonly warehouse: string
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly commitAttemptsMax: number
}

export type CurrentTable = { readonly row: TableRow; readonly metadata: TableMetadata }

/** Times that a metadata file may vanish, because commits moved on and cleaned up, before it counts as lost. */
const vanishedReadsMax = 5

/** The table's row and metadata; `undefined` when there is no such table. */
export async function findCurrentTable(
  { rows, files }: CatalogContext,
  identifier: TableIdentifier,
): Promise<CurrentTable | undefined> {
  for (let attempt = 1; ; attempt++) {
    const row = await rows.findTable(identifier)
    if (row === undefined) return undefined
    try {
      const metadata = await files.load(row.metadataLocation)
      checkUuid(identifier, row, metadata)
      return { row, metadata }
    } catch (error) {
      if (!(error instanceof FloeError) || error.code !== 'not-found') throw error
      const moved = (await rows.findTable(identifier))?.metadataLocation !== row.metadataLocation
      if (!moved || attempt >= vanishedReadsMax) throw lostMetadata(identifier, row, error)
    }
  }
}

export async function loadCurrentTable(
  context: CatalogContext,
  identifier: TableIdentifier,
): Promise<CurrentTable> {
  const current = await findCurrentTable(context, identifier)
  if (current === undefined) throw noSuchTable(identifier)
  return current
}

// Spec "Table Metadata Fields", table-uuid: readers must refuse metadata whose uuid is not the one they expect.
function checkUuid(identifier: TableIdentifier, row: TableRow, { tableUuid }: TableMetadata): void {
  if (tableUuid === row.uuid) return
  const message = `${formatIdentifier(identifier)}: ${row.metadataLocation} is of table ${tableUuid}, not ${row.uuid}`
  throw new FloeError('corrupt-data', message, {
    hint: 'something has overwritten the metadata file; restore it',
  })
}

function lostMetadata(identifier: TableIdentifier, row: TableRow, cause: FloeError): FloeError {
  const previous = row.previousMetadataLocation
  return new FloeError(
    'corrupt-data',
    `the metadata file of ${formatIdentifier(identifier)} is gone: ${row.metadataLocation}`,
    {
      hint: `restore the file, or drop the table without purge and register an older one${previous === undefined ? '' : ` (${previous})`}`,
      cause,
    },
  )
}
