import { applyViewUpdates, checkViewRequirement, newViewMetadata } from '@floe/iceberg'
import type { ViewMetadata } from '@floe/iceberg'
import type { LoadedView, TableIdentifier, ViewCommit, ViewDefinition } from '../catalog.ts'
import { overtaken } from '../catalog-error.ts'
import { checkIdentifier, formatIdentifier } from '../identifier.ts'
import { checkNameIsFree, loadCurrent } from './catalog-context.ts'
import type { CatalogContext } from './catalog-context.ts'
import type { RelationRow, RowChange } from './catalog-store.ts'
import { applyChanges, changeError, insertRelation } from './insert-relation.ts'
import { deleteAfterCommit, newMetadataLocation } from '../metadata-location.ts'
import { publishMetadata } from '../publish-metadata.ts'
import { defaultLocation } from '../table-location.ts'

export async function createView(
  context: CatalogContext,
  identifier: TableIdentifier,
  { schema, version, location, properties }: ViewDefinition,
): Promise<LoadedView> {
  await checkNameIsFree(context, 'view', identifier)
  const uuid = context.uuid()
  const metadata = newViewMetadata({
    schema,
    version,
    location: location ?? (await defaultLocation(context.rows, context.warehouse, identifier, uuid)),
    uuid,
    nowMs: context.clock.now(),
    ...(properties === undefined ? {} : { properties }),
  })
  const metadataLocation = await insertRelation(context, context.views, identifier, metadata)
  return { identifier, metadata, metadataLocation, config: {} }
}

/** As for tables: a swap that another commit won is tried again while the requirements hold. */
export async function commitView(
  context: CatalogContext,
  identifier: TableIdentifier,
  { requirements, updates }: ViewCommit,
): Promise<LoadedView> {
  const { rows, views, clock, uuid } = context
  checkIdentifier(identifier)
  for (let attempt = 1; attempt <= context.commitAttemptsMax; attempt++) {
    if (attempt > 1) context.onSignal?.('commit-retry')
    const { row: from, metadata: base } = await loadCurrent(rows, views, identifier)
    for (const requirement of requirements) checkViewRequirement(base, requirement)
    const metadata = applyViewUpdates(base, updates, { nowMs: clock.now() })
    if (metadata === base)
      return { identifier, metadata, metadataLocation: from.metadataLocation, config: {} }
    const location = newMetadataLocation(metadata, from.metadataLocation, uuid())
    const change: RowChange = {
      kind: 'swap',
      action: 'commit',
      relation: 'view',
      identifier,
      from,
      uuid: from.uuid,
      metadataLocation: location,
    }
    const outcome = await publishMetadata(views, [{ metadata, location, replaced: from.metadataLocation }], {
      point: () => applyChanges(context, [change]),
      isPointed: ({ kind }) => kind === 'applied',
    })
    if (outcome.kind === 'applied') {
      await removeOldMetadata(context, from, metadata)
      return { identifier, metadata, metadataLocation: location, config: {} }
    }
    if (outcome.kind !== 'lost') throw await changeError(rows, outcome)
  }
  throw overtaken(formatIdentifier(identifier), context.commitAttemptsMax)
}

/** As for tables, on request; a view has no log of its files, so that the last two are kept. */
async function removeOldMetadata(
  { views }: CatalogContext,
  { previousMetadataLocation }: RelationRow,
  { properties }: ViewMetadata,
): Promise<void> {
  if (previousMetadataLocation === undefined || properties[deleteAfterCommit] !== 'true') return
  await views.remove([previousMetadataLocation])
}
