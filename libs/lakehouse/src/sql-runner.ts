import type { SqlRunner } from '@floe/agent'
import type { Engine } from '@floe/engine'

/** What the agent calls of the engine: rows in memory, no more than `rowsMax`. */
export function engineRunner(engine: Engine, rowsMaxDefault: number): SqlRunner {
  return {
    checkSelect: (sql) => engine.checkSelect(sql),
    async run(sql, { rowsMax = rowsMaxDefault, signal } = {}) {
      const result = await engine.query(sql, { rowsMax, ...(signal === undefined ? {} : { signal }) })
      try {
        const rows: (readonly unknown[])[] = []
        for await (const batch of result.rows()) rows.push(...batch)
        return { columns: result.columns, rows, references: result.references }
      } finally {
        await result.close()
      }
    },
  }
}
