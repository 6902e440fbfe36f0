import { applyTableUpdates, checkRequirement, FloeError, toFloeError } from '@floe/iceberg'
import type { TableMetadata, TableRequirement, TableUpdate } from '@floe/iceberg'
import type { LoadedTable, TableIdentifier } from '../catalog.ts'
import { noSuchNamespace, noSuchTable } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { findCurrentTable } from './catalog-context.ts'
import type { CatalogContext, CurrentTable } from './catalog-context.ts'
import { insertNewTable } from './create-table.ts'
import { newMetadataLocation } from './metadata-location.ts'
import { publishMetadata } from './publish-metadata.ts'
import { defaultTableLocation } from './table-location.ts'

export type TableCommit = {
  readonly requirements: readonly TableRequirement[]
  readonly updates: readonly TableUpdate[]
}

/**
 * Load, check the requirements, apply the updates, write the metadata file, swap the row. A swap that another commit
 * won is tried again on what the table is then, as long as the requirements hold.
 */
export async function commitTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  commit: TableCommit,
): Promise<LoadedTable> {
  checkIdentifier(identifier)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    const current = await findCurrentTable(context, identifier)
    if (current === undefined) return commitNewTable(context, identifier, commit)
    const committed = await tryCommit(context, identifier, current, commit)
    if (committed !== undefined) return committed
  }
  const message = `${formatIdentifier(identifier)} was changed by others ${context.commitAttemptsMax} times during one commit`
  throw new FloeError('commit-conflict', message, {
    retryable: true,
    hint: 'commit again when fewer writers are at it',
  })
}

/** `undefined` when another commit came first. */
async function tryCommit(
  context: CatalogContext,
  identifier: TableIdentifier,
  { row, metadata: base }: CurrentTable,
  { requirements, updates }: TableCommit,
): Promise<LoadedTable | undefined> {
  for (const requirement of requirements) checkRequirement(base, requirement)
  const metadata = applyTableUpdates(base, updates, {
    nowMs: context.clock.now(),
    previousMetadataLocation: row.metadataLocation,
  })
  if (metadata === base) return { identifier, metadata, metadataLocation: row.metadataLocation, config: {} }
  const metadataLocation = newMetadataLocation(metadata, row.metadataLocation, context.uuid())
  const isSwapped = await publishMetadata(context.files, metadata, metadataLocation, {
    point: () => swapRow(context, identifier, row, metadataLocation),
    isPointed: (swapped) => swapped,
  })
  if (!isSwapped) return undefined
  await removeOldMetadata(context, base, metadata)
  return { identifier, metadata, metadataLocation, config: {} }
}

/** An unclear answer of the store is settled by looking at the row. */
async function swapRow(
  { rows }: CatalogContext,
  identifier: TableIdentifier,
  row: CurrentTable['row'],
  metadataLocation: string,
): Promise<boolean> {
  try {
    return await rows.swapTable(identifier, row, metadataLocation)
  } catch (error) {
    if (toFloeError(error).code !== 'commit-state-unknown') throw error
    const found = await rows.findTable(identifier).catch(() => undefined)
    if (found?.metadataLocation === metadataLocation) return true
    throw error
  }
}

/** The last step of a staged create: everything that the table is made of comes in this one commit. */
async function commitNewTable(
  context: CatalogContext,
  identifier: TableIdentifier,
  { requirements, updates }: TableCommit,
): Promise<LoadedTable> {
  if (!requirements.some(({ type }) => type === 'assert-create')) throw noSuchTable(identifier)
  if ((await context.rows.findNamespace(identifier.namespace)) === undefined) {
    throw noSuchNamespace(identifier.namespace)
  }
  for (const requirement of requirements) checkRequirement(undefined, requirement)
  const complete = [...(await missingUpdates(context, identifier, updates)), ...updates]
  const metadata = applyTableUpdates(undefined, complete, { nowMs: context.clock.now() })
  return insertNewTable(context, identifier, metadata, () => lostCreate(identifier))
}

/** Uuid and location of a new table whose creator left them to the catalog. */
async function missingUpdates(
  { rows, warehouse, uuid }: CatalogContext,
  identifier: TableIdentifier,
  updates: readonly TableUpdate[],
): Promise<readonly TableUpdate[]> {
  const assigned = updates.find((update) => update.action === 'assign-uuid')?.uuid
  const tableUuid = assigned ?? uuid()
  const missing: TableUpdate[] = assigned === undefined ? [{ action: 'assign-uuid', uuid: tableUuid }] : []
  if (updates.some(({ action }) => action === 'set-location')) return missing
  const location = await defaultTableLocation(rows, warehouse, identifier, tableUuid)
  return [...missing, { action: 'set-location', location }]
}

function lostCreate(identifier: TableIdentifier): FloeError {
  return new FloeError(
    'commit-conflict',
    `Requirement failed: table already exists: ${formatIdentifier(identifier)}`,
    {
      hint: 'load the table that is there now, or choose another name',
    },
  )
}

/** Only files that this commit pushed out of the metadata log: others may belong to somebody who still reads them. */
async function removeOldMetadata(
  { files }: CatalogContext,
  base: TableMetadata,
  next: TableMetadata,
): Promise<void> {
  if (next.properties['write.metadata.delete-after-commit.enabled'] !== 'true') return
  const kept = new Set(next.metadataLog.map(({ metadataFile }) => metadataFile))
  await files.remove(
    base.metadataLog.map(({ metadataFile }) => metadataFile).filter((file) => !kept.has(file)),
  )
}
