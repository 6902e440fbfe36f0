export type ResultColumn = { readonly name: string; readonly type: string }

/** The version of a table that a result was read from; `undefined` when the table has no snapshot yet. */
export type SnapshotReference = {
  readonly table: string
  readonly snapshotId: bigint | undefined
  readonly timestampMs?: number
}

export type SqlResult = {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly unknown[])[]
  readonly references: readonly SnapshotReference[]
}

export type RunOptions = { readonly rowsMax?: number; readonly signal?: AbortSignal }

/** Runs read-only SQL in DuckDB's dialect. Errors are `FloeError`; their message may be shown to a model. */
export interface SqlRunner {
  /** Resolves when `sql` is one SELECT over known tables; else throws `invalid-input`, `not-found` or `permission-denied`. */
  checkSelect(sql: string): Promise<void>
  run(sql: string, options?: RunOptions): Promise<SqlResult>
}
