import { applyTableUpdates, checkRequirement, FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { LoadedTable, TableChange } from '../catalog.ts'
import { nameTaken, noSuchNamespace, noSuchRelation, overtaken } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { missingUpdates } from '../new-table.ts'
import { findCurrent } from './catalog-context.ts'
import type { CatalogContext, Current } from './catalog-context.ts'
import type { ChangeOutcome, RowChange } from './catalog-store.ts'
import { applyChanges, changeError, insertOf } from './insert-relation.ts'
import { deleteAfterCommit, newMetadataLocation } from '../metadata-location.ts'
import { publishMetadata } from '../publish-metadata.ts'

/** What one change of a transaction comes to: the row's change, the table after it, and the table before. */
type Plan = {
  readonly row: RowChange
  readonly metadata: TableMetadata
  readonly location: string
  readonly base: TableMetadata | undefined
}

/**
 * Load, check the requirements, apply the updates, write the metadata files, change all rows at once. When another
 * commit was faster everything is tried again on what the tables are then, as long as the requirements hold.
 */
export async function commitTables(
  context: CatalogContext,
  changes: readonly TableChange[],
): Promise<readonly LoadedTable[]> {
  checkChanges(changes)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    if (attempt > 1) context.onSignal?.('commit-retry')
    const plans: Plan[] = []
    for (const change of changes) plans.push(await planChange(context, change))
    const outcome = await applyPlans(context, plans)
    if (outcome.kind === 'applied') {
      for (const plan of plans) await removeOldMetadata(context, plan)
      return plans.map(loadedTable)
    }
    if (!(await isWorthAnotherTry(context, outcome))) throw await changeError(context.rows, outcome)
  }
  throw overtaken(names(changes), context.commitAttemptsMax)
}

function checkChanges(changes: readonly TableChange[]): void {
  const seen = new Set<string>()
  for (const { identifier } of changes) {
    checkIdentifier(identifier)
    const key = JSON.stringify([identifier.namespace, identifier.name])
    if (seen.has(key)) {
      const message = `one transaction changes ${formatIdentifier(identifier)} twice`
      throw new FloeError('invalid-input', message, { hint: 'put all updates of a table into one change' })
    }
    seen.add(key)
  }
}

async function planChange(context: CatalogContext, change: TableChange): Promise<Plan> {
  const current = await findCurrent(context.rows, context.tables, change.identifier)
  return current === undefined ? planNewTable(context, change) : planNextTable(context, change, current)
}

function planNextTable(
  { clock, uuid }: CatalogContext,
  { identifier, requirements, updates }: TableChange,
  { row: from, metadata: base }: Current<TableMetadata>,
): Plan {
  for (const requirement of requirements) checkRequirement(base, requirement)
  const metadata = applyTableUpdates(base, updates, {
    nowMs: clock.now(),
    previousMetadataLocation: from.metadataLocation,
  })
  const relation = 'table'
  if (metadata === base) {
    return {
      row: { kind: 'check', relation, identifier, from },
      metadata,
      location: from.metadataLocation,
      base,
    }
  }
  const location = newMetadataLocation(metadata, from.metadataLocation, uuid())
  const row: RowChange = {
    kind: 'swap',
    action: 'commit',
    relation,
    identifier,
    from,
    uuid: from.uuid,
    metadataLocation: location,
  }
  return { row, metadata, location, base }
}

/** The last step of a staged create: everything that the table is made of comes in this one commit. */
async function planNewTable(
  context: CatalogContext,
  { identifier, requirements, updates }: TableChange,
): Promise<Plan> {
  const { rows, tables, clock, uuid } = context
  if (!requirements.some(({ type }) => type === 'assert-create')) throw noSuchRelation('table', identifier)
  if ((await rows.findNamespace(identifier.namespace)) === undefined)
    throw noSuchNamespace(identifier.namespace)
  if ((await rows.findKind(identifier)) === 'view') throw nameTaken('table', 'view', identifier)
  for (const requirement of requirements) checkRequirement(undefined, requirement)
  const complete = [...(await missingUpdates(context, identifier, updates)), ...updates]
  const metadata = applyTableUpdates(undefined, complete, { nowMs: clock.now() })
  const location = newMetadataLocation(metadata, undefined, uuid())
  return { row: insertOf(tables, identifier, metadata, location), metadata, location, base: undefined }
}

async function applyPlans(context: CatalogContext, plans: readonly Plan[]): Promise<ChangeOutcome> {
  const changes = plans.map(({ row }) => row)
  // A single table that stays as it is needs no lock: it was so when it was read.
  if (changes.length === 0 || (changes.length === 1 && changes[0]?.kind === 'check'))
    return { kind: 'applied' }
  const changed = plans.filter(({ row }) => row.kind !== 'check')
  return publishMetadata(
    context.tables,
    changed.map(({ metadata, location, row }) => ({ metadata, location, replaced: replacedBy(row) })),
    { point: () => applyChanges(context, changes), isPointed: ({ kind }) => kind === 'applied' },
  )
}

function replacedBy(row: RowChange): string | undefined {
  return row.kind === 'swap' ? row.from.metadataLocation : undefined
}

/** Planning again says what has become of a table; a name that a view has, or a uuid that is taken, stay so. */
async function isWorthAnotherTry(
  { rows }: CatalogContext,
  { kind, change }: Exclude<ChangeOutcome, { kind: 'applied' }>,
): Promise<boolean> {
  if (kind === 'lost') return true
  return kind === 'name-taken' && (await rows.findKind(change.identifier)) !== 'view'
}

function loadedTable({ row, metadata, location }: Plan): LoadedTable {
  return { identifier: row.identifier, metadata, metadataLocation: location, config: {} }
}

function names(changes: readonly TableChange[]): string {
  return changes.map(({ identifier }) => formatIdentifier(identifier)).join(', ')
}

/** Only files that this commit pushed out of the metadata log: others may belong to somebody who still reads them. */
async function removeOldMetadata({ tables }: CatalogContext, { base, metadata }: Plan): Promise<void> {
  if (base === undefined || metadata.properties[deleteAfterCommit] !== 'true') return
  const kept = new Set(metadata.metadataLog.map(({ metadataFile }) => metadataFile))
  await tables.remove(
    base.metadataLog.map(({ metadataFile }) => metadataFile).filter((file) => !kept.has(file)),
  )
}
