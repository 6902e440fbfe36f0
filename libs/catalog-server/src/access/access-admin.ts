import { checkIdentifier, checkMask, checkNamespace, keepRowFilter, maskActions } from '@floe/catalog'
import type {
  AccessStore,
  Catalog,
  ColumnMask,
  Grant,
  Grantee,
  MaskAction,
  Principal,
  Securable,
  TableIdentifier,
} from '@floe/catalog'
import { currentSchema, expressionToJson, FloeError, stringifyJson } from '@floe/iceberg'
import type { Expression, Schema } from '@floe/iceberg'
import type { TokenInfo } from './access-json.ts'
import { makeToken } from './access-token.ts'
import type { TokenComponents } from './access-token.ts'
import { parseRowFilter } from './row-filter-text.ts'

export type TokenRequest = {
  readonly principal: Principal
  readonly kind: 'token' | 'client'
  /** For ever when absent. */
  readonly lifetimeMs?: number
}

/** The text of a token is told once. For a client it is the secret, and the id is the client's. */
export type IssuedToken = { readonly id: string; readonly text: string; readonly expiresAtMs?: number }

/** Restrictions of one table for one grantee, with columns by their names. */
export type NamedRestriction = {
  readonly to: Grantee
  readonly table: TableIdentifier
  /** A condition of SQL, or an Iceberg expression as JSON. */
  readonly rowFilter?: string
  readonly masks: readonly { readonly column: string; readonly action: MaskAction }[]
}

/** Who may do what in one warehouse, and the tokens of the server. */
export interface AccessAdmin {
  createToken(request: TokenRequest): Promise<IssuedToken>
  listTokens(): Promise<readonly TokenInfo[]>
  /** @throws FloeError not-found */
  revokeToken(id: string): Promise<void>
  listGrants(): Promise<readonly Grant[]>
  /** @throws FloeError not-found when there is no such namespace, table or view */
  addGrant(grant: Grant): Promise<void>
  /** @throws FloeError not-found when there is no such grant */
  removeGrant(to: Grantee, on: Securable): Promise<void>
  listRestrictions(): Promise<readonly NamedRestriction[]>
  /** @throws FloeError not-found for the table, invalid-input for filters and masks that do not fit it */
  addRestriction(restriction: NamedRestriction): Promise<void>
  /** @throws FloeError not-found when there is none */
  removeRestriction(to: Grantee, table: TableIdentifier): Promise<void>
}

export type AccessAdminSettings = {
  readonly warehouse: string
  readonly catalog: Catalog
  readonly store: AccessStore
}

export function createAccessAdmin(settings: AccessAdminSettings, components: TokenComponents): AccessAdmin {
  return {
    ...tokenAdmin(settings, components),
    ...grantAdmin(settings),
    ...restrictionAdmin(settings),
  }
}

type TokenAdmin = Pick<AccessAdmin, 'createToken' | 'listTokens' | 'revokeToken'>
type GrantAdmin = Pick<AccessAdmin, 'listGrants' | 'addGrant' | 'removeGrant'>
type RestrictionAdmin = Pick<AccessAdmin, 'listRestrictions' | 'addRestriction' | 'removeRestriction'>

function tokenAdmin({ store }: AccessAdminSettings, components: TokenComponents): TokenAdmin {
  return {
    async createToken({ principal, kind, lifetimeMs }) {
      const token = { principal, kind, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) }
      const { text, stored } = makeToken(token, components)
      await store.insertToken(stored)
      const { id, expiresAtMs } = stored
      return { id, text, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) }
    },
    async listTokens() {
      return (await store.listTokens()).map((token): TokenInfo => {
        const { secretHash: _, ...info } = token
        return info
      })
    },
    async revokeToken(id) {
      if (!(await store.deleteToken(id))) throw missing(`token ${id}`, 'floe token list shows all of them')
    },
  }
}

function grantAdmin({ warehouse, store }: AccessAdminSettings): GrantAdmin {
  return {
    listGrants: () => store.listGrants(warehouse),
    async addGrant(grant) {
      checkSecurable(grant.on)
      const outcome = await store.setGrant(warehouse, grant)
      if (outcome === 'no-object')
        throw missing(`${grant.on.kind} to grant on`, 'check its name, and the warehouse')
    },
    async removeGrant(to, on) {
      if (!(await store.removeGrant(warehouse, to, on)))
        throw missing(`grant to ${to.kind} ${to.name} on that`, 'floe grant list shows all of them')
    },
  }
}

function restrictionAdmin({ warehouse, catalog, store }: AccessAdminSettings): RestrictionAdmin {
  return {
    async listRestrictions() {
      const rules = await store.listReadRules(warehouse)
      return Promise.all(
        rules.map(async ({ to, table, rowFilter, masks }) => {
          const schema = currentSchema((await catalog.loadTable(table)).metadata)
          const named = masks.map(({ fieldId, action }) => ({ column: nameOf(fieldId, schema), action }))
          return {
            to,
            table,
            masks: named,
            ...(rowFilter === undefined ? {} : { rowFilter: shown(rowFilter, schema) }),
          }
        }),
      )
    },
    async addRestriction({ to, table, rowFilter, masks }) {
      checkIdentifier(table)
      const schema = currentSchema((await catalog.loadTable(table)).metadata)
      const rule = {
        to,
        table,
        masks: masksOf(masks, schema),
        ...(rowFilter === undefined ? {} : { rowFilter: keepRowFilter(parseRowFilter(rowFilter), schema) }),
      }
      if (rule.masks.length === 0 && rowFilter === undefined)
        throw new FloeError('invalid-input', 'the restriction restricts nothing', {
          hint: 'give a row filter, masks, or both',
        })
      if ((await store.setReadRule(warehouse, rule)) === 'no-object')
        throw missing(`table ${table.name}`, 'it was dropped meanwhile')
    },
    async removeRestriction(to, table) {
      if (!(await store.removeReadRule(warehouse, to, table)))
        throw missing(
          `restriction for ${to.kind} ${to.name} on that table`,
          'floe grant restrictions shows all of them',
        )
    },
  }
}

function checkSecurable(on: Securable): void {
  if (on.kind === 'namespace') checkNamespace(on.namespace)
  if (on.kind === 'table') checkIdentifier(on.identifier)
}

function masksOf(masks: NamedRestriction['masks'], schema: Schema): readonly ColumnMask[] {
  const found = masks.map(({ column, action }) => {
    const field = schema.fields.find(({ name }) => name === column)
    if (field === undefined)
      throw new FloeError('invalid-input', `the table has no column "${column}"`, {
        hint: `its columns are ${schema.fields.map(({ name }) => name).join(', ')}`,
      })
    const mask = { fieldId: field.id, action }
    checkMask(mask, schema)
    return mask
  })
  if (new Set(found.map(({ fieldId }) => fieldId)).size === found.length) return found
  throw new FloeError('invalid-input', 'a column has two masks', {
    hint: `choose one of ${maskActions.join(', ')}`,
  })
}

function nameOf(fieldId: number, { fields }: Schema): string {
  return fields.find(({ id }) => id === fieldId)?.name ?? `#${fieldId}`
}

function shown(rowFilter: Expression, schema: Schema): string {
  return stringifyJson(expressionToJson(rowFilter, { schema, spelling: 'reference' }))
}

function missing(what: string, hint: string): FloeError {
  return new FloeError('not-found', `there is no ${what}`, { hint })
}
