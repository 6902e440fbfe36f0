import { FloeError, toFloeError } from '@floe/iceberg'
import type { TableIdentifier } from '../catalog.ts'
import { noSuchDropped, noSuchNamespace, undropTaken, uuidTaken } from '../catalog-error.ts'
import type { RelationKind } from '../catalog-error.ts'
import { checkIdentifier } from '../identifier.ts'
import type { DroppedRelation, ExpiryReport } from '../managed-catalog.ts'
import type { CatalogContext } from './catalog-context.ts'
import { findPurgeableFiles } from './purgeable-files.ts'

/** Expired tables and views that are looked up at one time. */
const expiredRowsMax = 100

/** Gives a dropped table or view a name again. Its files and grants have stayed. */
export async function undrop(
  { rows }: CatalogContext,
  uuid: string,
  as: TableIdentifier | undefined,
): Promise<{ readonly kind: RelationKind; readonly identifier: TableIdentifier }> {
  if (as !== undefined) checkIdentifier(as)
  const outcome = await rows.undrop(uuid, as)
  switch (outcome.kind) {
    case 'undropped':
      return { kind: outcome.relation, identifier: outcome.identifier }
    case 'not-found':
      throw noSuchDropped(uuid)
    case 'no-namespace':
      throw noSuchNamespace(outcome.identifier.namespace)
    case 'uuid-taken':
      throw uuidTaken('table', outcome.identifier)
    case 'name-taken':
      throw undropTaken((await rows.findKind(outcome.identifier)) ?? 'table', outcome.identifier)
  }
}

/** One that fails does not keep others from going. */
export async function expireDropped(context: CatalogContext): Promise<ExpiryReport> {
  const { rows, clock } = context
  const expired: DroppedRelation[] = []
  const failures: ExpiryReport['failures'][number][] = []
  const nowMs = clock.now()
  for (;;) {
    const found = await rows.listExpired(nowMs, failures.length + expiredRowsMax)
    const failed = new Set(failures.map(({ relation }) => relation.uuid))
    const due = found.filter(({ uuid }) => !failed.has(uuid))
    if (due.length === 0) return { expired, failures }
    for (const relation of due) {
      try {
        if (await expire(context, relation)) expired.push(relation)
      } catch (error) {
        failures.push({ relation, error: toFloeError(error) })
      }
    }
  }
}

/** Before its time. @throws FloeError not-found */
export async function expireNow(context: CatalogContext, uuid: string): Promise<ExpiryReport> {
  const relation = await context.rows.findDropped(uuid)
  if (relation === undefined || !(await expire(context, relation))) throw noSuchDropped(uuid)
  return { expired: [relation], failures: [] }
}

/** As a purge: what the table reaches is found first, then it is forgotten, then its files go. */
async function expire(context: CatalogContext, relation: DroppedRelation): Promise<boolean> {
  const { rows, tables } = context
  const isEmptied = relation.isPurge && relation.kind === 'table'
  const files = isEmptied ? await findFiles(context, relation) : []
  const outcome = await rows.forgetDropped(relation)
  if (outcome === 'forgotten') await tables.remove(files)
  return outcome !== 'not-found'
}

async function findFiles(
  context: CatalogContext,
  { uuid, metadataLocation }: DroppedRelation,
): Promise<readonly string[]> {
  try {
    const metadata = await context.tables.load(metadataLocation)
    if (metadata.tableUuid === uuid) return await findPurgeableFiles(context, metadata, metadataLocation)
  } catch (error) {
    // Somebody else has removed it: what it reached cannot be known any more.
    if (toFloeError(error).code === 'not-found') return []
    throw error
  }
  throw new FloeError('corrupt-data', `${metadataLocation} is not of the dropped table ${uuid}`, {
    hint: 'something has overwritten the metadata file; restore it',
  })
}
