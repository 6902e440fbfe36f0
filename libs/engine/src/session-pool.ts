import { openSession } from './duckdb-session.ts'
import type { DuckDBSession, SessionLimits } from './duckdb-session.ts'

/** Hands out fresh sessions, one of them opened ahead: opening takes about 20 ms, and each serves one query only. */
export class SessionPool {
  readonly #limits: SessionLimits
  #spare: Promise<DuckDBSession> | undefined
  #closed = false

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  async take(): Promise<DuckDBSession> {
    const taken = this.#spare ?? openSession(this.#limits)
    this.#spare = undefined
    const session = await taken
    if (!this.#closed) this.#prepare()
    return session
  }

  async close(): Promise<void> {
    this.#closed = true
    const spare = this.#spare
    this.#spare = undefined
    const session = await spare?.catch(() => undefined)
    session?.close()
  }

  #prepare(): void {
    const spare = openSession(this.#limits)
    // Whoever takes the spare sees its failure; nobody else needs to.
    spare.catch(() => undefined)
    this.#spare = spare
  }
}
