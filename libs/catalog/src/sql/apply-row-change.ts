import type { Namespace, TableIdentifier } from '../catalog.ts'
import { namespaceSeparator } from '../identifier.ts'
import type { AuditDraft } from './audit-log.ts'
import type { ChangeOutcome, RowChange } from './catalog-store.ts'
import { rowLock } from './sql-database.ts'
import type { SqlDatabase, SqlSession } from './sql-database.ts'

type Kind = ChangeOutcome['kind']

const insertSql = `INSERT INTO relations (warehouse, namespace, name, kind, uuid, metadata_location, version)
  VALUES ($1, $2, $3, $4, $5, $6, 1)`
const atRow = `warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4 AND uuid = $5 AND metadata_location = $6`
const swapSql = `UPDATE relations
  SET uuid = $7, metadata_location = $8, previous_metadata_location = metadata_location, version = version + 1
  WHERE ${atRow}`
const protectionSql = `SELECT 1 AS found FROM relations
  WHERE warehouse = $1 AND namespace = $2 AND name = $3 AND kind = $4 AND protected = 1`
const checkSql = `SELECT 1 AS found FROM relations WHERE ${atRow}`

/** One change of a set, within the transaction of the set; after anything but `applied` it can only be rolled back. */
export async function applyRowChange(
  database: SqlDatabase,
  session: SqlSession,
  warehouse: string,
  change: RowChange,
): Promise<Kind> {
  const { relation, identifier } = change
  const at = [warehouse, pathOf(identifier.namespace), identifier.name, relation]
  switch (change.kind) {
    case 'insert':
      return database.settle<Kind>(
        async () => (await session.run(insertSql, ...at, change.uuid, change.metadataLocation), 'applied'),
        { 'primary-key': 'name-taken', unique: 'uuid-taken', 'foreign-key': 'no-namespace' },
      )
    case 'swap': {
      const { uuid, metadataLocation, from, action } = change
      const values = [...at, from.uuid, from.metadataLocation, uuid, metadataLocation]
      const guarded = action === 'register' ? `${swapSql} AND protected = 0` : swapSql
      const isSwapped = async (): Promise<Kind> => {
        if ((await session.run(guarded, ...values)) === 1) return 'applied'
        if (action === 'commit') return 'lost'
        return (await session.all(protectionSql, ...at)).length === 1 ? 'protected' : 'lost'
      }
      return database.settle<Kind>(isSwapped, { unique: 'uuid-taken' })
    }
    case 'check': {
      const { uuid, metadataLocation } = change.from
      const found = await session.all(checkSql + rowLock(database), ...at, uuid, metadataLocation)
      return found.length === 1 ? 'applied' : 'lost'
    }
  }
}

/** Its entry in the audit log; what was only looked at has none. */
export function auditOfChange(change: RowChange): readonly AuditDraft[] {
  if (change.kind === 'check') return []
  const { relation: kind, identifier, action, uuid, metadataLocation: after } = change
  const before = change.kind === 'swap' ? { before: change.from.metadataLocation } : {}
  const isOther = change.kind === 'swap' && change.from.uuid !== uuid
  const details = isOther ? { details: { 'replaced-uuid': change.from.uuid } } : {}
  return [{ action, on: { kind, identifier }, uuid, after, ...before, ...details }]
}

/** Sorts changes in the order in which their rows are locked. */
export function rowKey({ namespace, name }: TableIdentifier): string {
  return `${pathOf(namespace)}${namespaceSeparator}${namespaceSeparator}${name}`
}

export function pathOf(namespace: Namespace): string {
  return namespace.join(namespaceSeparator)
}
