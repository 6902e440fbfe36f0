import { expressionToJson, FloeError, parseExpression, parseJson, stringifyJson } from '@floe/iceberg'
import { privileges } from '../access-store.ts'
import type {
  AccessRequest,
  AccessStore,
  Grant,
  Grantee,
  Principal,
  Securable,
  StoredToken,
  TokenKind,
} from '../access-store.ts'
import type { TableIdentifier } from '../catalog.ts'
import type { RelationKind } from '../catalog-error.ts'
import { namespaceSeparator } from '../identifier.ts'
import type { ColumnMask, ReadRule } from '../read-restrictions.ts'
import { pathOf } from './apply-row-change.ts'
import { insertAudit } from './audit-log.ts'
import type { AuditDraft } from './audit-log.ts'
import type { SqlDatabase, SqlRow, SqlSession } from './sql-database.ts'

/** Stands for all warehouses in the column of their names, as no warehouse is called so. */
const everyWarehouse = ''

const tokenColumns = 'id, kind, principal, roles, secret_hash, created_at_ms, expires_at_ms, issued_for'
const grantColumns = `g.object, g.grantee, g.privilege, g.namespace,
  r.namespace AS relation_namespace, r.name AS relation_name`
const grantTables = `grants g LEFT JOIN relations r ON r.warehouse = g.warehouse AND r.uuid = g.relation`
const ruleColumns = 'q.grantee, q.row_filter, q.masks, r.namespace, r.name'
const ruleTables = 'read_rules q JOIN relations r ON r.warehouse = q.warehouse AND r.uuid = q.relation'

/** Where the times of the audit log come from. */
type AccessComponents = { readonly clock: { now(): number } }

/** Access rules in the tables of the catalog's own database. */
export function createSqlAccessStore(sql: SqlDatabase, components: AccessComponents): AccessStore {
  return new SqlAccessStore(sql, components, { warehouse: everyWarehouse })
}

class SqlAccessStore implements AccessStore {
  readonly #sql: SqlDatabase
  readonly #components: AccessComponents
  readonly #request: AccessRequest

  constructor(sql: SqlDatabase, components: AccessComponents, request: AccessRequest) {
    this.#sql = sql
    this.#components = components
    this.#request = request
  }

  forRequest(request: AccessRequest): AccessStore {
    return new SqlAccessStore(this.#sql, this.#components, request)
  }

  async insertToken(token: StoredToken): Promise<void> {
    const sql = `INSERT INTO tokens (${tokenColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
    const { id, kind, principal, secretHash, createdAtMs, expiresAtMs, issuedFor } = token
    const roles = JSON.stringify(principal.roles)
    const times = [createdAtMs, expiresAtMs ?? null]
    const values = [id, kind, principal.name, roles, secretHash, ...times, issuedFor ?? null]
    if (kind === 'session') {
      await this.#sql.run(sql, ...values)
      return
    }
    const details = { id, kind, principal: principal.name, roles: principal.roles }
    const draft = { action: 'create', on: { kind: 'token' }, details } as const
    await this.#change(this.#request.warehouse, draft, (session) => session.run(sql, ...values))
  }

  async findToken(id: string): Promise<StoredToken | undefined> {
    const [row] = await this.#sql.all(`SELECT ${tokenColumns} FROM tokens WHERE id = $1`, id)
    return row === undefined ? undefined : tokenOf(row)
  }

  async listTokens(): Promise<readonly StoredToken[]> {
    const sql = `SELECT ${tokenColumns} FROM tokens WHERE kind <> 'session' ORDER BY created_at_ms, id`
    return (await this.#sql.all(sql)).map(tokenOf)
  }

  async deleteToken(id: string): Promise<boolean> {
    const draft = { action: 'revoke', on: { kind: 'token' }, details: { id } } as const
    const sql = 'DELETE FROM tokens WHERE id = $1'
    return this.#change(this.#request.warehouse, draft, (session) => session.run(sql, id))
  }

  async deleteTokensExpiredBefore(timestampMs: number): Promise<void> {
    await this.#sql.run('DELETE FROM tokens WHERE expires_at_ms < $1', timestampMs)
  }

  async grantsOf(warehouse: string, principal: Principal): Promise<readonly Grant[]> {
    const grantees = granteesOf(principal)
    const rows = await this.#sql.all(
      `SELECT ${grantColumns} FROM ${grantTables}
       WHERE g.warehouse IN ($1, $2) AND g.grantee IN (${placeholders(grantees, 3)})`,
      everyWarehouse,
      warehouse,
      ...grantees,
    )
    return rows.flatMap(grantOf)
  }

  async listGrants(warehouse: string): Promise<readonly Grant[]> {
    const sql = `SELECT ${grantColumns} FROM ${grantTables} WHERE g.warehouse IN ($1, $2) ORDER BY g.warehouse, g.object, g.grantee`
    return (await this.#sql.all(sql, everyWarehouse, warehouse)).flatMap(grantOf)
  }

  async setGrant(warehouse: string, { to, privilege, on }: Grant): Promise<'set' | 'no-object'> {
    const key = await this.#keyOf(warehouse, on)
    if (key === undefined) return 'no-object'
    const sql = `INSERT INTO grants (warehouse, object, grantee, privilege, namespace, relation) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (warehouse, object, grantee) DO UPDATE SET privilege = excluded.privilege`
    const values = [key.warehouse, key.object, granteeText(to), privilege, key.namespace, key.relation]
    const draft = { action: 'grant', details: { to, privilege }, ...auditedObject(on, key) } as const
    const change = async (): Promise<'set' | 'no-object'> => {
      await this.#change(warehouse, draft, (session) => session.run(sql, ...values))
      return 'set'
    }
    return this.#sql.settle(change, { 'foreign-key': 'no-object' })
  }

  async removeGrant(warehouse: string, to: Grantee, on: Securable): Promise<boolean> {
    const key = await this.#keyOf(warehouse, on)
    if (key === undefined) return false
    const sql = 'DELETE FROM grants WHERE warehouse = $1 AND object = $2 AND grantee = $3'
    const draft = { action: 'revoke', details: { to }, ...auditedObject(on, key) } as const
    return this.#change(warehouse, draft, (session) =>
      session.run(sql, key.warehouse, key.object, granteeText(to)),
    )
  }

  async readRulesOf(
    warehouse: string,
    principal: Principal,
    { namespace, name }: TableIdentifier,
  ): Promise<readonly ReadRule[]> {
    const grantees = granteesOf(principal)
    const rows = await this.#sql.all(
      `SELECT ${ruleColumns} FROM ${ruleTables}
       WHERE r.warehouse = $1 AND r.namespace = $2 AND r.name = $3 AND q.grantee IN (${placeholders(grantees, 4)})
       ORDER BY q.grantee`,
      warehouse,
      pathOf(namespace),
      name,
      ...grantees,
    )
    return rows.map(ruleOf)
  }

  async listReadRules(warehouse: string): Promise<readonly ReadRule[]> {
    const sql = `SELECT ${ruleColumns} FROM ${ruleTables} WHERE q.warehouse = $1 ORDER BY r.namespace, r.name, q.grantee`
    return (await this.#sql.all(sql, warehouse)).map(ruleOf)
  }

  async setReadRule(
    warehouse: string,
    { to, table, rowFilter, masks }: ReadRule,
  ): Promise<'set' | 'no-object'> {
    const relation = await this.#relationAt(warehouse, table)
    if (relation === undefined) return 'no-object'
    const filter =
      rowFilter === undefined ? null : stringifyJson(expressionToJson(rowFilter, { spelling: 'reference' }))
    const sql = `INSERT INTO read_rules (warehouse, relation, grantee, row_filter, masks) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (warehouse, relation, grantee) DO UPDATE SET row_filter = excluded.row_filter, masks = excluded.masks`
    const values = [warehouse, relation.uuid, granteeText(to), filter, JSON.stringify(masks)]
    // The filter itself may hold values of rows.
    const details = {
      to,
      'row-filter': filter !== null,
      'masked-fields': masks.map(({ fieldId }) => fieldId),
    }
    const on = { kind: relation.kind, identifier: table }
    const draft: AuditDraft = { action: 'restrict', on, uuid: relation.uuid, details }
    await this.#change(warehouse, draft, (session) => session.run(sql, ...values))
    return 'set'
  }

  async removeReadRule(warehouse: string, to: Grantee, table: TableIdentifier): Promise<boolean> {
    const relation = await this.#relationAt(warehouse, table)
    if (relation === undefined) return false
    const sql = 'DELETE FROM read_rules WHERE warehouse = $1 AND relation = $2 AND grantee = $3'
    const on = { kind: relation.kind, identifier: table }
    const draft: AuditDraft = { action: 'unrestrict', on, uuid: relation.uuid, details: { to } }
    return this.#change(warehouse, draft, (session) =>
      session.run(sql, warehouse, relation.uuid, granteeText(to)),
    )
  }

  /** A change of rows with its entry in the audit log; false when there was nothing to change. */
  async #change(
    warehouse: string,
    draft: AuditDraft,
    change: (session: SqlSession) => Promise<number>,
  ): Promise<boolean> {
    const { principal } = this.#request
    const work = async (session: SqlSession): Promise<boolean> => {
      if ((await change(session)) === 0) return false
      const nowMs = this.#components.clock.now()
      const stamp = { warehouse, nowMs, ...(principal === undefined ? {} : { principal }) }
      await insertAudit(session, stamp, [draft])
      return true
    }
    return this.#sql.transaction(work, (isChanged) => isChanged)
  }

  /** Where the grants on something are kept; `undefined` for a table that is not there. */
  async #keyOf(warehouse: string, on: Securable): Promise<ObjectKey | undefined> {
    const none = { warehouse, namespace: null, relation: null }
    switch (on.kind) {
      case 'server':
        return { ...none, warehouse: everyWarehouse, object: 'server' }
      case 'warehouse':
        return { ...none, object: 'warehouse' }
      case 'namespace': {
        const namespace = pathOf(on.namespace)
        return { ...none, namespace, object: `namespace:${namespace}` }
      }
      case 'table': {
        const found = await this.#relationAt(warehouse, on.identifier)
        if (found === undefined) return undefined
        return { ...none, relation: found.uuid, object: `table:${found.uuid}`, relationKind: found.kind }
      }
    }
  }

  async #relationAt(
    warehouse: string,
    { namespace, name }: TableIdentifier,
  ): Promise<{ readonly uuid: string; readonly kind: RelationKind } | undefined> {
    const sql = 'SELECT uuid, kind FROM relations WHERE warehouse = $1 AND namespace = $2 AND name = $3'
    const [row] = await this.#sql.all(sql, warehouse, pathOf(namespace), name)
    if (row === undefined) return undefined
    return { uuid: text(row, 'uuid'), kind: row['kind'] === 'view' ? 'view' : 'table' }
  }
}

type ObjectKey = {
  readonly warehouse: string
  readonly object: string
  readonly namespace: string | null
  readonly relation: string | null
  readonly relationKind?: RelationKind
}

function auditedObject(
  on: Securable,
  { relation, relationKind }: ObjectKey,
): Pick<AuditDraft, 'on' | 'uuid'> {
  if (on.kind !== 'table') return { on }
  const uuid = relation === null ? {} : { uuid: relation }
  return { on: { kind: relationKind ?? 'table', identifier: on.identifier }, ...uuid }
}

function granteesOf({ name, roles }: Principal): readonly string[] {
  return [`principal:${name}`, ...roles.map((role) => `role:${role}`)]
}

function granteeText({ kind, name }: Grantee): string {
  return `${kind}:${name}`
}

function parseGrantee(text: string): Grantee {
  const kind = text.startsWith('role:') ? 'role' : 'principal'
  return { kind, name: text.slice(kind.length + 1) }
}

function placeholders(values: readonly unknown[], first: number): string {
  return values.map((_, at) => `$${first + at}`).join(', ')
}

function tokenOf(row: SqlRow): StoredToken {
  const { expires_at_ms: expiresAtMs, issued_for: issuedFor } = row
  return {
    id: text(row, 'id'),
    kind: text(row, 'kind') as TokenKind,
    principal: { name: text(row, 'principal'), roles: JSON.parse(text(row, 'roles')) as readonly string[] },
    secretHash: text(row, 'secret_hash'),
    createdAtMs: Number(row['created_at_ms']),
    ...(expiresAtMs === null || expiresAtMs === undefined ? {} : { expiresAtMs: Number(expiresAtMs) }),
    ...(typeof issuedFor === 'string' ? { issuedFor } : {}),
  }
}

/** None for a grant on a table that was dropped. */
function grantOf(row: SqlRow): readonly Grant[] {
  const on = securableOf(row)
  const privilege = privileges.find((candidate) => candidate === row['privilege'])
  if (privilege === undefined)
    throw new FloeError('corrupt-data', 'a grant in the catalog has an unknown privilege')
  return on === undefined ? [] : [{ to: parseGrantee(text(row, 'grantee')), privilege, on }]
}

function securableOf(row: SqlRow): Securable | undefined {
  const { object, namespace, relation_namespace: within, relation_name: name } = row
  if (object === 'server' || object === 'warehouse') return { kind: object }
  if (typeof namespace === 'string')
    return { kind: 'namespace', namespace: namespace.split(namespaceSeparator) }
  if (typeof within !== 'string' || typeof name !== 'string') return undefined
  return { kind: 'table', identifier: { namespace: within.split(namespaceSeparator), name } }
}

function ruleOf(row: SqlRow): ReadRule {
  const filter = row['row_filter']
  return {
    to: parseGrantee(text(row, 'grantee')),
    table: { namespace: text(row, 'namespace').split(namespaceSeparator), name: text(row, 'name') },
    masks: JSON.parse(text(row, 'masks')) as readonly ColumnMask[],
    ...(typeof filter === 'string' ? { rowFilter: parseExpression(parseJson(filter)) } : {}),
  }
}

function text(row: SqlRow, column: string): string {
  return String(row[column])
}
