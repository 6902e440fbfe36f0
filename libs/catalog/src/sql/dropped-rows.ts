import type { Namespace, TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import { namespaceSeparator } from '../identifier.ts'
import type { DroppedRelation } from '../managed-catalog.ts'
import { pathOf } from './apply-row-change.ts'
import { anonymous } from './audit-reader.ts'
import type { UndropOutcome } from './catalog-store.ts'
import { rowLock } from './sql-database.ts'
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from './sql-database.ts'

const columns = `uuid, kind, namespace, name, metadata_location, purge,
  coalesce(dropped_by, '${anonymous}') AS dropped_by, dropped_at_ms, expires_at_ms`

// A table that was dropped, registered and dropped again is kept as it was last.
const keepSql = `INSERT INTO dropped_relations (warehouse, uuid, kind, namespace, name, metadata_location,
    previous_metadata_location, version, purge, dropped_by, dropped_at_ms, expires_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (warehouse, uuid) DO UPDATE SET kind = excluded.kind, namespace = excluded.namespace,
    name = excluded.name, metadata_location = excluded.metadata_location,
    previous_metadata_location = excluded.previous_metadata_location, version = excluded.version,
    purge = excluded.purge, dropped_by = excluded.dropped_by, dropped_at_ms = excluded.dropped_at_ms,
    expires_at_ms = excluded.expires_at_ms`

export type Retention = {
  readonly isPurge: boolean
  readonly droppedBy: string | undefined
  readonly droppedAtMs: number
  readonly expiresAtMs: number
}

/** Keeps a row of `relations` that is being deleted, in the same transaction. */
export async function keepDropped(
  session: SqlSession,
  warehouse: string,
  row: SqlRow,
  { isPurge, droppedBy, droppedAtMs, expiresAtMs }: Retention,
): Promise<void> {
  const kept = [
    'uuid',
    'kind',
    'namespace',
    'name',
    'metadata_location',
    'previous_metadata_location',
    'version',
  ]
  const values = kept.map((column): SqlValue => row[column] ?? null)
  const rest = [Number(isPurge), droppedBy ?? null, droppedAtMs, expiresAtMs]
  await session.run(keepSql, warehouse, ...values, ...rest)
}

export type BroughtBack = UndropOutcome & { readonly metadataLocation?: string }

/** The dropped tables and views of one warehouse. */
export class DroppedRows {
  readonly #sql: SqlDatabase
  readonly #warehouse: string

  constructor(sql: SqlDatabase, warehouse: string) {
    this.#sql = sql
    this.#warehouse = warehouse
  }

  async list(namespace: Namespace | undefined): Promise<readonly DroppedRelation[]> {
    const [condition, values] =
      namespace === undefined ? ['', []] : [' AND namespace = $2', [pathOf(namespace)]]
    const sql = `SELECT ${columns} FROM dropped_relations WHERE warehouse = $1${condition}
      ORDER BY dropped_at_ms DESC, uuid`
    return (await this.#sql.all(sql, this.#warehouse, ...values)).map(droppedOf)
  }

  async find(uuid: string): Promise<DroppedRelation | undefined> {
    const sql = `SELECT ${columns} FROM dropped_relations WHERE warehouse = $1 AND uuid = $2`
    return (await this.#sql.all(sql, this.#warehouse, uuid)).map(droppedOf)[0]
  }

  async listExpired(nowMs: number, limit: number): Promise<readonly DroppedRelation[]> {
    const sql = `SELECT ${columns} FROM dropped_relations
      WHERE warehouse = $1 AND expires_at_ms <= $2 ORDER BY expires_at_ms, uuid LIMIT $3`
    return (await this.#sql.all(sql, this.#warehouse, nowMs, limit)).map(droppedOf)
  }

  /** With the place of its metadata. A broken constraint ends the transaction. */
  async bringBack(session: SqlSession, uuid: string, as: TableIdentifier | undefined): Promise<BroughtBack> {
    const select = `SELECT * FROM dropped_relations WHERE warehouse = $1 AND uuid = $2`
    const [row] = await session.all(select + rowLock(this.#sql), this.#warehouse, uuid)
    if (row === undefined) return { kind: 'not-found' }
    const identifier = as ?? identifierOf(row)
    const insert = `INSERT INTO relations (warehouse, namespace, name, kind, uuid, metadata_location,
      previous_metadata_location, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
    const kept = ['kind', 'uuid', 'metadata_location', 'previous_metadata_location', 'version']
    const values = kept.map((column): SqlValue => row[column] ?? null)
    const work = async (): Promise<BroughtBack> => {
      await session.run(insert, this.#warehouse, pathOf(identifier.namespace), identifier.name, ...values)
      await session.run(
        'DELETE FROM dropped_relations WHERE warehouse = $1 AND uuid = $2',
        this.#warehouse,
        uuid,
      )
      const metadataLocation = String(row['metadata_location'])
      return { kind: 'undropped', relation: kindOf(row), identifier, metadataLocation }
    }
    return this.#sql.settle(work, {
      'primary-key': { kind: 'name-taken', identifier },
      unique: { kind: 'uuid-taken', identifier },
      'foreign-key': { kind: 'no-namespace', identifier },
    })
  }

  /** Exactly this drop of it: it may have been brought back and dropped again. */
  async forget(
    session: SqlSession,
    { uuid, metadataLocation, droppedAtMs }: DroppedRelation,
  ): Promise<'forgotten' | 'in-use' | 'not-found'> {
    const remove = `DELETE FROM dropped_relations
      WHERE warehouse = $1 AND uuid = $2 AND metadata_location = $3 AND dropped_at_ms = $4`
    if ((await session.run(remove, this.#warehouse, uuid, metadataLocation, droppedAtMs)) === 0)
      return 'not-found'
    const named = await session.all('SELECT 1 AS found FROM relations WHERE uuid = $1', uuid)
    return named.length === 0 ? 'forgotten' : 'in-use'
  }
}

function droppedOf(row: SqlRow): DroppedRelation {
  return {
    uuid: String(row['uuid']),
    kind: kindOf(row),
    identifier: identifierOf(row),
    metadataLocation: String(row['metadata_location']),
    isPurge: Number(row['purge']) === 1,
    droppedBy: String(row['dropped_by']),
    droppedAtMs: Number(row['dropped_at_ms']),
    expiresAtMs: Number(row['expires_at_ms']),
  }
}

function identifierOf(row: SqlRow): TableIdentifier {
  return { namespace: String(row['namespace']).split(namespaceSeparator), name: String(row['name']) }
}

function kindOf(row: SqlRow): RelationKind {
  return row['kind'] === 'view' ? 'view' : 'table'
}
