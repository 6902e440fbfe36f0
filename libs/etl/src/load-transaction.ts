import type { Catalog, TableChange } from '@floe/catalog'
import { errorFromData, FloeError, toFloeError } from '@floe/iceberg'
import type { SourceConnection, SourceSnapshot } from '@floe/postgres'
import type { CommitTarget } from '@floe/writer'
import type { LoadComponents } from './load-components.ts'
import { loadError } from './load-error.ts'
import type { TableFailure, TableLoad } from './load-report.ts'
import { commitTable, describeLoad, isUnchanged } from './load-table.ts'
import { tableName } from './load-target.ts'
import { OpenedFiles } from './opened-files.ts'
import type { PlannedTable } from './plan-table.ts'
import { progressOf } from './progress.ts'
import { readTable } from './read-table.ts'
import type { ReadTable } from './read-table.ts'
import { discardStep, endStep, startStep } from './start-step.ts'
import type { StepStart } from './start-step.ts'

export type TransactionResult = {
  readonly plan: PlannedTable
  readonly outcome: { readonly loaded: TableLoad } | { readonly error: FloeError }
}

type ReadPlan = {
  readonly plan: PlannedTable
  readonly start: StepStart
  readonly read: ReadTable
  readonly elapsedMs: number
}

/**
 * Loads tables that all become visible in one commit. They are read one after the other; when one fails, none is
 * committed and no file stays.
 * @param failed  a table that could not even be planned, which gives up the others
 */
export async function loadTransaction(
  plans: readonly PlannedTable[],
  failed: TableFailure | undefined,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
  components: LoadComponents,
): Promise<readonly TransactionResult[]> {
  using opened = new OpenedFiles()
  const starts: StepStart[] = []
  const giveUp = async (table: string, cause: FloeError): Promise<readonly TransactionResult[]> => {
    await discardStep(starts, opened, components.store)
    return plans.map((plan) => ({ plan, outcome: { error: givenUp(plan, table, cause) } }))
  }
  if (failed !== undefined) return giveUp(failed.table, errorFromData(failed.error))
  const reads: ReadPlan[] = []
  for (const plan of plans) {
    try {
      reads.push(await readPlanned(plan, { snapshot, connection, atEnd: true }, starts, opened, components))
    } catch (error) {
      return giveUp(tableName(plan.request.identifier), loadError(error, components.signal))
    }
  }
  try {
    for (const { state } of starts) await state?.close()
  } catch (error) {
    const failure = loadError(error, components.signal)
    await discardStep(starts, opened, components.store)
    return plans.map((plan) => ({ plan, outcome: { error: failure } }))
  }
  const results = await commitTogether(reads, components)
  const unknown = results.some(
    ({ outcome }) => 'error' in outcome && outcome.error.code === 'commit-state-unknown',
  )
  const isCommitted = results.every(({ outcome }) => 'loaded' in outcome)
  if (isCommitted) for (const start of starts) await endStep(start, snapshot, components)
  else if (!unknown) await discardStep(starts, opened, components.store)
  return results
}

async function readPlanned(
  plan: PlannedTable,
  run: { readonly snapshot: SourceSnapshot; readonly connection: SourceConnection; readonly atEnd: boolean },
  starts: StepStart[],
  opened: OpenedFiles,
  components: LoadComponents,
): Promise<ReadPlan> {
  const [step, ...others] = plan.steps
  if (others.length > 0) {
    throw new FloeError('invalid-input', '--commit-every divides what a transaction keeps together', {
      hint: 'leave one of them out',
    })
  }
  components.signal?.throwIfAborted()
  const started = components.clock.now()
  const progress = progressOf(plan, components)
  const start = await startStep(plan, step, plan.first, run, progress, components)
  starts.push(start)
  const read = await readTable(plan, start, run.snapshot, opened, progress, components)
  components.signal?.throwIfAborted()
  return { plan, start, read, elapsedMs: components.clock.now() - started }
}

function givenUp(plan: PlannedTable, table: string, cause: FloeError): FloeError {
  if (tableName(plan.request.identifier) === table) return cause
  return new FloeError(cause.code, `the transaction was given up: ${table} failed`, {
    hint: 'nothing was committed: mend that table, or load without a transaction',
    cause,
  })
}

async function commitTogether(
  reads: readonly ReadPlan[],
  components: LoadComponents,
): Promise<readonly TransactionResult[]> {
  const changed = reads.filter(({ plan, start, read }) => !isUnchanged(plan, start.into, read))
  const transaction = new SharedCommit(changed.length, components.catalog)
  return Promise.all(
    reads.map(async ({ plan, start: { into, resume }, read, elapsedMs }): Promise<TransactionResult> => {
      const step = { ...read, into, resume }
      if (isUnchanged(plan, into, read)) {
        return { plan, outcome: { loaded: describeLoad(plan, [step], elapsedMs) } }
      }
      try {
        const target = transaction.targetOf(plan)
        const committed = await commitTable(plan, into, read, target, components)
        return { plan, outcome: { loaded: describeLoad(plan, [{ ...step, committed }], elapsedMs) } }
      } catch (error) {
        const failure = toFloeError(error)
        transaction.leave(failure)
        return { plan, outcome: { error: loadError(failure, components.signal) } }
      }
    }),
  )
}

type Waiting = {
  readonly change: TableChange
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * One commit of several tables, each of which stages its own: the changes are sent when all have come. After a lost race
 * all stage again and meet once more; when one cannot, none is committed.
 */
class SharedCommit {
  readonly #members: number
  readonly #catalog: Catalog
  #waiting: Waiting[] = []
  #failure: FloeError | undefined
  #isCommitted = false

  constructor(members: number, catalog: Catalog) {
    this.#members = members
    this.#catalog = catalog
  }

  targetOf({ request: { identifier } }: PlannedTable): CommitTarget {
    return {
      load: () => this.#catalog.loadTable(identifier),
      commit: async (requirements, updates) => {
        await this.#meet({ identifier, requirements, updates })
        // The commit has happened: what fails here must not look like a failed commit.
        return this.#catalog.loadTable(identifier).catch((cause: unknown) => {
          throw new FloeError('commit-state-unknown', 'the tables of the transaction cannot be read back', {
            cause,
          })
        })
      },
    }
  }

  /** One member will not come: the others need not wait. */
  leave(cause: FloeError): void {
    if (this.#isCommitted) return
    this.#failure ??= cause
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(this.#givenUp(cause))
  }

  async #meet(change: TableChange): Promise<void> {
    if (this.#failure !== undefined) throw this.#givenUp(this.#failure)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ change, resolve, reject })
    if (this.#waiting.length === this.#members) await this.#commit()
    return promise
  }

  async #commit(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      await this.#catalog.commitTransaction(waiting.map(({ change }) => change))
      this.#isCommitted = true
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  #givenUp(cause: FloeError): FloeError {
    const code = cause.code === 'commit-state-unknown' ? cause.code : 'invalid-input'
    return new FloeError(code, `the transaction was given up: ${cause.message}`, {
      hint: cause.hint ?? 'load again',
      cause,
    })
  }
}
