import type { PrimitiveValue, Type } from '@floe/iceberg'

export type ColumnDescription = {
  readonly name: string
  readonly type: Type
  readonly doc?: string
  readonly required: boolean
  readonly lowerBound?: PrimitiveValue
  readonly upperBound?: PrimitiveValue
}

/** What table metadata alone tells about a table; no row was read for it. */
export type TableDescription = {
  /** `namespace.table`; the last part is the table, the parts before it the namespace. */
  readonly name: string
  readonly doc?: string
  readonly rowCount?: number
  readonly snapshotId?: bigint
  readonly columns: readonly ColumnDescription[]
}

export interface TableDirectory {
  listTables(): Promise<readonly TableDescription[]>
}
