import { combineRules, hasPrivilege, isVisible } from '@floe/catalog'
import type {
  AccessStore,
  Grant,
  LoadedTable,
  Namespace,
  Principal,
  Privilege,
  ReadRestrictions,
  Securable,
  TableIdentifier,
} from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { Context } from 'hono'
import type { Authenticated } from './authenticator.ts'

/** `see`: there is a grant on it, above it, or on something inside of it. */
export type Need = { readonly privilege: Privilege | 'see'; readonly on: Securable }

/** What one principal may do in one warehouse, as of one moment. */
export class WarehouseAccess {
  readonly principal: Principal
  readonly warehouse: string
  readonly #grants: readonly Grant[]
  readonly #store: AccessStore

  constructor(principal: Principal, warehouse: string, grants: readonly Grant[], store: AccessStore) {
    this.principal = principal
    this.warehouse = warehouse
    this.#grants = grants
    this.#store = store
  }

  may({ privilege, on }: Need): boolean {
    return privilege === 'see' ? isVisible(this.#grants, on) : hasPrivilege(this.#grants, privilege, on)
  }

  /** @throws FloeError permission-denied. It is the same whether the thing exists or not. */
  require(need: Need): void {
    if (this.may(need)) return
    const { privilege, on } = need
    throw new FloeError(
      'permission-denied',
      `${this.principal.name} may not ${privilege} ${describe(on, this.warehouse)}`,
    )
  }

  sees(namespace: Namespace): boolean {
    return this.may({ privilege: 'see', on: { kind: 'namespace', namespace } })
  }

  seesTable(identifier: TableIdentifier): boolean {
    return this.may({ privilege: 'read', on: { kind: 'table', identifier } })
  }

  /** What of the table the principal may see; everything when there is none. */
  async restrictionsOf(
    identifier: TableIdentifier,
    metadata: TableMetadata,
  ): Promise<ReadRestrictions | undefined> {
    const rules = await this.#store.readRulesOf(this.warehouse, this.principal, identifier)
    return combineRules(rules, metadata)
  }

  async isRestricted(identifier: TableIdentifier): Promise<boolean> {
    return (await this.#store.readRulesOf(this.warehouse, this.principal, identifier)).length > 0
  }

  /** The table with what the principal may see of it. */
  async restrict(table: LoadedTable): Promise<LoadedTable> {
    const readRestrictions = await this.restrictionsOf(table.identifier, table.metadata)
    return readRestrictions === undefined ? table : { ...table, readRestrictions }
  }
}

export async function openWarehouseAccess(
  { principal, grants = [] }: Authenticated,
  warehouse: string,
  store: AccessStore,
): Promise<WarehouseAccess> {
  const granted = await store.grantsOf(warehouse, principal)
  return new WarehouseAccess(principal, warehouse, [...grants, ...granted], store)
}

function describe(on: Securable, warehouse: string): string {
  switch (on.kind) {
    case 'server':
      return 'the server'
    case 'warehouse':
      return `the warehouse ${warehouse}`
    case 'namespace':
      return `the namespace ${on.namespace.join('.')}`
    case 'table':
      return [...on.identifier.namespace, on.identifier.name].join('.')
  }
}

/** The tables or views of a list that whoever asks may read. */
export function onlyVisible(
  context: Context,
  identifiers: readonly TableIdentifier[],
): readonly TableIdentifier[] {
  const access = context.get('access')
  return access === undefined ? identifiers : identifiers.filter((identifier) => access.seesTable(identifier))
}

/** A table with what whoever asks may see of it. */
export async function asVisible(context: Context, table: LoadedTable): Promise<LoadedTable> {
  return (await context.get('access')?.restrict(table)) ?? table
}
