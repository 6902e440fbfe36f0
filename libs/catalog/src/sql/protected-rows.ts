import type { Protectable } from '../managed-catalog.ts'
import { pathOf } from './apply-row-change.ts'
import type { ProtectOutcome } from './catalog-store.ts'
import type { SqlSession, SqlValue } from './sql-database.ts'

/** Whether something is protected from being dropped; `undefined` when it is not there. */
export async function findProtection(
  session: Pick<SqlSession, 'all'>,
  warehouse: string,
  on: Protectable,
): Promise<boolean | undefined> {
  const { table, condition, values } = placeOf(on)
  const sql = `SELECT protected FROM ${table} WHERE warehouse = $1 AND ${condition}`
  const [row] = await session.all(sql, warehouse, ...values)
  return row === undefined ? undefined : Number(row['protected']) === 1
}

export async function protect(
  session: SqlSession,
  warehouse: string,
  on: Protectable,
  isProtected: boolean,
): Promise<ProtectOutcome> {
  const { table, condition, values } = placeOf(on)
  const flag = isProtected ? 1 : 0
  const sql = `UPDATE ${table} SET protected = ${flag} WHERE warehouse = $1 AND ${condition} AND protected <> ${flag}`
  if ((await session.run(sql, warehouse, ...values)) === 1) return 'changed'
  return (await findProtection(session, warehouse, on)) === undefined ? 'not-found' : 'unchanged'
}

type Place = { readonly table: string; readonly condition: string; readonly values: readonly SqlValue[] }

function placeOf(on: Protectable): Place {
  if (on.kind === 'namespace')
    return { table: 'namespaces', condition: 'path = $2', values: [pathOf(on.namespace)] }
  const { namespace, name } = on.identifier
  const condition = 'namespace = $2 AND name = $3 AND kind = $4'
  return { table: 'relations', condition, values: [pathOf(namespace), name, on.kind] }
}
