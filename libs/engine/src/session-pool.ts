import { prepareDirectFiles } from './direct-access.ts'
import type { DirectFiles } from './direct-access.ts'
import { openSession } from './duckdb-session.ts'
import type { DuckDBSession, SessionLimits } from './duckdb-session.ts'

/** Sessions that wait for a next query over their files; each holds about 4 MB. */
const idleSessionsMax = 24

/**
 * Hands out sessions, each to one query at a time. Opening one costs 15 ms of CPU time, so one is always opened ahead,
 * and one that has served its query stays locked to its files until a query of exactly those files comes.
 */
export class SessionPool {
  readonly #limits: SessionLimits
  /** By what they are locked to, used longest ago first. */
  readonly #idle = new Map<string, DuckDBSession>()
  #spare: Promise<DuckDBSession> | undefined
  #closed = false

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  /** A session that may open `paths` and nothing else. One that is given keys for files is a new one. */
  async take(paths: readonly string[], direct: DirectFiles): Promise<DuckDBSession> {
    const key = keyOf(paths)
    const idle = this.#idle.get(key)
    if (idle !== undefined && direct.urls.size === 0) {
      this.#idle.delete(key)
      await idle.reconnect()
      return idle
    }
    const taken = this.#spare ?? openSession(this.#limits)
    this.#spare = undefined
    const session = await taken
    try {
      if (!this.#closed) this.#prepare()
      await prepareDirectFiles(session.connection, direct)
      await session.lock(paths)
      return session
    } catch (error) {
      session.close()
      throw error
    }
  }

  /** Takes a session back whose query came to its end. Nothing of the query is left in it. */
  giveBack(session: DuckDBSession): void {
    const key = keyOf(session.paths)
    if (this.#closed || this.#idle.has(key)) {
      session.close()
      return
    }
    session.disconnect()
    this.#idle.set(key, session)
    const [oldest] = this.#idle
    if (oldest === undefined || this.#idle.size <= idleSessionsMax) return
    this.#idle.delete(oldest[0])
    oldest[1].close()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const session of this.#idle.values()) session.close()
    this.#idle.clear()
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

function keyOf(paths: readonly string[]): string {
  return [...paths].sort().join('\n')
}
