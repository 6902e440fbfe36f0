import type { Namespace } from '@floe/catalog'
import type { TypePolicies } from '@floe/postgres'
import type { LoadMode } from './load-target.ts'
import type { CursorRequest } from './plan-increment.ts'

/** Type policies of the tables of a load; columns are named `schema.table.column`. */
export type TableTypePolicies = TypePolicies

/** How a table is loaded. */
export type TableSettings = {
  readonly mode: LoadMode
  /** What orders rows in time: for `incremental`, and for the load that goes before the first incremental one. */
  readonly cursor?: CursorRequest
  readonly partitionBy?: string
  /** Such as `category, day(ts) desc nulls last`: the table's order from now on, which its files are sorted by. */
  readonly sortBy?: string
  /** Names of the columns to load; all when absent. */
  readonly columns?: readonly string[]
  /** A condition in SQL that the rows to load meet. */
  readonly where?: string
  /** What becomes of types and values that Iceberg does not have. */
  readonly policies?: TableTypePolicies
  readonly properties?: Readonly<Record<string, string>>
}

/** Tables of a load with settings of their own; what is absent is as in the request. */
export type TableSelection = Partial<TableSettings> & {
  /** A pattern such as `public.orders` or `public.*`. */
  readonly source: string
  readonly namespace?: Namespace
  /** The name of the Iceberg table, for a pattern of one table: that of the source when absent. */
  readonly name?: string
}
