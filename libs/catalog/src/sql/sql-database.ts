export type SqlValue = string | number | bigint | null
export type SqlRow = Readonly<Record<string, SqlValue>>

/** What a statement can break that is an outcome rather than a failure. */
export type Constraint = 'foreign-key' | 'primary-key' | 'unique'

/**
 * Runs statements with `$1` parameters, each text the same for all dialects. Errors are `FloeError`s whose cause is
 * the driver's. Integers come back as `number` up to 2^53, as `bigint` beyond.
 */
export interface SqlSession {
  /** Rows of a query. Outside of a transaction it sees what is committed, and nothing else. */
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Rows changed. Outside of a transaction it is one: lost on the way, its outcome is `commit-state-unknown`. */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>
}

/** One SQL database. What was acknowledged is durable. */
export interface SqlDatabase extends SqlSession {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * `work` in one transaction, through the session that it is given. Rolled back when `work` throws, and when `isKept`
   * says no to its outcome. `work` runs again when the database broke a deadlock by rolling it back: it must change
   * nothing but the database. READ COMMITTED at least: rows that are read to be changed are locked with `rowLock`.
   * @throws FloeError unavailable when the connection was lost before COMMIT was sent: nothing has been written;
   *   commit-state-unknown when it was lost after
   */
  transaction<T>(work: (session: SqlSession) => Promise<T>, isKept?: (outcome: T) => boolean): Promise<T>
  /**
   * The outcome of `work`, or the one that `outcomes` gives for the constraint that it broke. Inside of a transaction
   * nothing but its end may follow a broken constraint.
   */
  settle<T>(work: () => Promise<T>, outcomes: Partial<Record<Constraint, T>>): Promise<T>
  close(): Promise<void>
}

/** Ends a SELECT whose rows nobody else may change before the transaction ends; SQLite has one writer at a time. */
export function rowLock({ dialect }: SqlDatabase): string {
  return dialect === 'postgres' ? ' FOR NO KEY UPDATE' : ''
}

/**
 * The column `name` of all rows of a SELECT as one JSON array, in its order: a quarter of the time that ten thousand
 * rows take.
 */
export async function allNames(
  sql: SqlDatabase,
  select: string,
  ...values: readonly SqlValue[]
): Promise<readonly string[]> {
  const collect =
    sql.dialect === 'postgres' ? "coalesce(json_agg(name), '[]')::text" : 'json_group_array(name)'
  const [row] = await sql.all(`SELECT ${collect} AS names FROM (${select}) AS found`, ...values)
  return JSON.parse(String(row?.['names'])) as readonly string[]
}

/** `settle` of a driver that tells by the cause of an error what was broken. */
export async function settleBroken<T>(
  work: () => Promise<T>,
  outcomes: Partial<Record<Constraint, T>>,
  brokenConstraint: (cause: unknown) => Constraint | undefined,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const broken = error instanceof Error ? brokenConstraint(error.cause) : undefined
    const outcome = broken === undefined ? undefined : outcomes[broken]
    if (outcome === undefined) throw error
    return outcome
  }
}
