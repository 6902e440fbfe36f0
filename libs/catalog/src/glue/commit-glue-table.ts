import { applyTableUpdates, checkRequirement, FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import type { LoadedTable, TableChange, TableIdentifier } from '../catalog.ts'
import { noSuchRelation, overtaken } from '../catalog-error.ts'
import { formatIdentifier } from '../identifier.ts'
import type { MetadataFiles } from '../metadata-files.ts'
import { newMetadataLocation } from '../metadata-location.ts'
import { missingUpdates } from '../new-table.ts'
import { publishMetadata } from '../publish-metadata.ts'
import { exceptionName, glueError, wasSentOnce } from './glue-error.ts'
import type { GlueStore } from './glue-store.ts'
import { glueRow, isIcebergTable, tableInput } from './glue-table.ts'
import type { GlueRow } from './glue-table.ts'

/** What every operation on tables works with. */
export type GlueContext = {
  readonly rows: GlueStore
  readonly tables: MetadataFiles<TableMetadata>
  readonly store: ObjectStore
  readonly warehouse: string
  readonly clock: { now(): number }
  readonly uuid: () => string
  readonly commitAttemptsMax: number
}

/** An Iceberg table of Glue; `undefined` when there is none, a table of another format included. */
export async function findRow(
  { rows }: GlueContext,
  identifier: TableIdentifier,
): Promise<GlueRow | undefined> {
  const table = await rows.findTable(identifier)
  return table === undefined || !isIcebergTable(table) ? undefined : glueRow(identifier, table)
}

/**
 * Load, check the requirements, apply the updates, write the metadata file, swap the row of Glue at the version that
 * was read. A lost race is tried again on what the table is then, as long as the requirements hold.
 */
export async function commitGlueTable(context: GlueContext, change: TableChange): Promise<LoadedTable> {
  const { identifier } = change
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const row = await findRow(context, identifier)
    const committed =
      row === undefined ? await commitNewTable(context, change) : await commitNext(context, change, row)
    if (committed !== undefined) return committed
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}

async function commitNext(
  context: GlueContext,
  { identifier, requirements, updates }: TableChange,
  row: GlueRow,
): Promise<LoadedTable | undefined> {
  const base = await context.tables.load(row.metadataLocation)
  for (const requirement of requirements) checkRequirement(base, requirement)
  const metadata = applyTableUpdates(base, updates, {
    nowMs: context.clock.now(),
    previousMetadataLocation: row.metadataLocation,
  })
  if (metadata === base) return loaded(identifier, metadata, row.metadataLocation)
  const location = newMetadataLocation(metadata, row.metadataLocation, context.uuid())
  const isSwapped = await publishMetadata(context.tables, [{ metadata, location }], {
    point: () => swapRow(context, identifier, row, metadata, location),
    isPointed: (swapped) => swapped,
  })
  return isSwapped ? loaded(identifier, metadata, location) : undefined
}

/** The last step of a staged create: everything that the table is made of comes in this one commit. */
async function commitNewTable(
  context: GlueContext,
  { identifier, requirements, updates }: TableChange,
): Promise<LoadedTable | undefined> {
  if (!requirements.some(({ type }) => type === 'assert-create')) throw noSuchRelation('table', identifier)
  for (const requirement of requirements) checkRequirement(undefined, requirement)
  const complete = [...(await missingUpdates(context, identifier, updates)), ...updates]
  const metadata = applyTableUpdates(undefined, complete, { nowMs: context.clock.now() })
  const location = await insertTable(context, identifier, metadata)
  return location === undefined ? undefined : loaded(identifier, metadata, location)
}

/** Writes the first metadata file and makes the table; `undefined`, and no file, when the name is taken. */
export async function insertTable(
  context: GlueContext,
  identifier: TableIdentifier,
  metadata: TableMetadata,
): Promise<string | undefined> {
  const location = newMetadataLocation(metadata, undefined, context.uuid())
  const isInserted = await publishMetadata(context.tables, [{ metadata, location }], {
    point: () => insertRow(context, identifier, metadata, location),
    isPointed: (inserted) => inserted,
  })
  return isInserted ? location : undefined
}

/** `false` when the name is taken by another. An unclear answer is settled by looking. */
export async function insertRow(
  context: GlueContext,
  identifier: TableIdentifier,
  metadata: TableMetadata,
  location: string,
): Promise<boolean> {
  try {
    const isInserted = await context.rows.insertTable(
      identifier,
      tableInput(identifier.name, metadata, location),
    )
    // Sent twice, the second may have found the first's table.
    return isInserted || (await isAt(context, identifier, location)) === true
  } catch (error) {
    if (isInDoubt(error) && (await isAt(context, identifier, location)) === true) return true
    throw error
  }
}

/** `false` when the table is at another version by now. An unclear answer is settled by looking. */
export async function swapRow(
  context: GlueContext,
  identifier: TableIdentifier,
  row: GlueRow,
  metadata: TableMetadata,
  location: string,
): Promise<boolean> {
  checkVersioned(identifier, row)
  const input = tableInput(identifier.name, metadata, location, row)
  try {
    await context.rows.swapTable(identifier, row.versionId, input)
    return true
  } catch (error) {
    const name = exceptionName(error)
    const isLost = name === 'ConcurrentModificationException'
    if (isLost && wasSentOnce(error)) return false
    if (name === 'EntityNotFoundException') return false
    const failure = glueError(error, `commit to ${formatIdentifier(identifier)}`, 'change')
    if (!isLost && !isInDoubt(failure)) throw failure
    const isThere = await isAt(context, identifier, location)
    if (isThere === true) return true
    if (isLost && isThere === false) return false
    throw isInDoubt(failure) ? failure : unknown(identifier, failure)
  }
}

/** Whether a metadata file is the table's, or was before later commits; `undefined` when that cannot be found out. */
async function isAt(
  context: GlueContext,
  identifier: TableIdentifier,
  location: string,
): Promise<boolean | undefined> {
  try {
    const row = await findRow(context, identifier)
    if (row === undefined) return undefined
    if (row.metadataLocation === location) return true
    const { metadataLog } = await context.tables.load(row.metadataLocation)
    return metadataLog.some(({ metadataFile }) => metadataFile === location)
  } catch {
    return undefined
  }
}

function isInDoubt(error: unknown): boolean {
  return error instanceof FloeError && error.code === 'commit-state-unknown'
}

function unknown(identifier: TableIdentifier, cause: FloeError): FloeError {
  return new FloeError(
    'commit-state-unknown',
    `the commit to ${formatIdentifier(identifier)} may have happened`,
    {
      hint: 'load the table and look whether the change is there before trying again',
      cause,
    },
  )
}

/** Without a version two writers would overwrite each other unseen. */
function checkVersioned(identifier: TableIdentifier, { versionId }: GlueRow): void {
  if (versionId !== '') return
  throw new FloeError(
    'unsupported',
    `Glue gives no version of ${formatIdentifier(identifier)} to commit on`,
    {
      hint: 'use an endpoint whose GetTable answers with VersionId',
    },
  )
}

export function loaded(
  identifier: TableIdentifier,
  metadata: TableMetadata,
  metadataLocation: string,
): LoadedTable & { readonly metadataLocation: string } {
  return { identifier, metadata, metadataLocation, config: {} }
}
