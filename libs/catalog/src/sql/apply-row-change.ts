import type { Namespace, TableIdentifier } from '../catalog.ts'
import { namespaceSeparator } from '../identifier.ts'
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
      const { uuid, metadataLocation, from } = change
      const values = [...at, from.uuid, from.metadataLocation, uuid, metadataLocation]
      return database.settle<Kind>(
        async () => ((await session.run(swapSql, ...values)) === 1 ? 'applied' : 'lost'),
        { unique: 'uuid-taken' },
      )
    }
    case 'check': {
      const { uuid, metadataLocation } = change.from
      const found = await session.all(checkSql + rowLock(database), ...at, uuid, metadataLocation)
      return found.length === 1 ? 'applied' : 'lost'
    }
  }
}

/** Sorts changes in the order in which their rows are locked. */
export function rowKey({ namespace, name }: TableIdentifier): string {
  return `${pathOf(namespace)}${namespaceSeparator}${namespaceSeparator}${name}`
}

export function pathOf(namespace: Namespace): string {
  return namespace.join(namespaceSeparator)
}
