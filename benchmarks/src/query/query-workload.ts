/** One table of a workload, filled through PostgreSQL. */
type WorkloadTable = {
  readonly name: string
  /** Column definitions of PostgreSQL. */
  readonly columns: string
  /** The rows, as a query that DuckDB runs. */
  readonly rows: string
}

export type WorkloadQuery = {
  readonly name: string
  readonly sql: string
  /** What others published as the answer: a header, then rows, cells parted by bars. */
  readonly answer?: string
}

/** Tables and queries over them. Queries name tables without a namespace. */
export type QueryWorkload = {
  readonly name: string
  readonly tables: readonly WorkloadTable[]
  readonly queries: readonly WorkloadQuery[]
  /** The largest table: rows of it are deleted on a branch, and these scans read it without and with them. */
  readonly large: {
    readonly table: string
    readonly scans: readonly { readonly name: string; readonly select: string }[]
    /** Rows of the result whose first row is waited for. */
    readonly streamedRows: number
  }
}
