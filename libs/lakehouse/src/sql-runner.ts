import type { SqlRunner } from '@floe/agent'
import type { Engine, QueryOptions } from '@floe/engine'

/** What the agent calls of the engine over one catalog: rows in memory, no more than `rowsMax`. */
export function engineRunner(
  engine: Engine,
  rowsMaxDefault: number,
  catalog: NonNullable<QueryOptions['catalog']>,
): SqlRunner {
  return {
    checkSelect: (sql) => engine.checkSelect(sql, { catalog }),
    async run(sql, { rowsMax = rowsMaxDefault, signal } = {}) {
      const result = await engine.query(sql, {
        rowsMax,
        catalog,
        ...(signal === undefined ? {} : { signal }),
      })
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
