/** Milliseconds that the parts of a query took, one after the other. */
export type QueryProfile = {
  /** Parsing, finding tables, and reading filters from DuckDB's plan. */
  readonly bindMs: number
  /** Manifests, and the keys of joined tables. */
  readonly planMs: number
  /** Files of remote stores, footers, and deletes. */
  readonly openMs: number
  /** From then to the first rows. */
  readonly firstRowsMs: number
  /** From the first rows until now, or to the last ones; whoever reads the rows takes a part of it. */
  readonly rowsMs: number
  readonly rows: number
}

/** What a query is doing: for those who wait for its first row. */
export type QueryStage = 'bind' | 'plan' | 'open' | 'run'

const stages = ['bind', 'plan', 'open', 'run', 'rows', 'end'] as const

/** Takes the time of a query's stages. */
export class QueryTimer {
  readonly #clock: { now(): number }
  readonly #onStage: ((stage: QueryStage) => void) | undefined
  readonly #startedMs = new Map<(typeof stages)[number], number>()

  constructor(clock: { now(): number }, onStage: ((stage: QueryStage) => void) | undefined) {
    this.#clock = clock
    this.#onStage = onStage
  }

  /** Begins a stage, and ends the one before; a stage that was begun stays so. */
  begin(stage: (typeof stages)[number]): void {
    if (this.#startedMs.has(stage)) return
    this.#startedMs.set(stage, this.#clock.now())
    if (stage !== 'rows' && stage !== 'end') this.#onStage?.(stage)
  }

  profile(rows: number): QueryProfile {
    return {
      bindMs: this.#took('bind'),
      planMs: this.#took('plan'),
      openMs: this.#took('open'),
      firstRowsMs: this.#took('run'),
      rowsMs: this.#took('rows'),
      rows,
    }
  }

  #took(stage: (typeof stages)[number]): number {
    const start = this.#startedMs.get(stage)
    if (start === undefined) return 0
    const later = stages.slice(stages.indexOf(stage) + 1).map((next) => this.#startedMs.get(next))
    return (later.find((ms) => ms !== undefined) ?? this.#clock.now()) - start
  }
}
