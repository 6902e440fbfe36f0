/** A question, the SQL that it compiles to, and the rows that DuckDB gives for it. */
export type GoldenQuestion = readonly [question: string, sql: string, rows: string]

/** Cells by blanks, rows by bars. Of whole rows (`SELECT *`) only the first cell, which identifies them. */
export function rowsText(sql: string, rows: readonly (readonly unknown[])[]): string {
  const isWhole = /^SELECT (?:"\w+"\.)?\* /.test(sql)
  return rows.map((row) => (isWhole ? row.slice(0, 1) : row).map(cellText).join(' ')).join(' | ')
}

function cellText(value: unknown): string {
  if (value === null) return '-'
  if (value instanceof Date) return value.toISOString().slice(0, 10)
  if (typeof value === 'number') return String(Number(value.toFixed(4)))
  return typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'string'
    ? String(value)
    : JSON.stringify(value)
}
