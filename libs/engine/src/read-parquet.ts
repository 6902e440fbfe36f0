import type { ColumnRead } from './column-read.ts'
import { quoteText, textList } from './sql-text.ts'

/** `read_parquet` of files that were written alike: column `c<id>` for each field. */
export function readParquet(paths: readonly string[], reads: readonly ColumnRead[]): string {
  const columns = reads.map(
    ({ fieldId, key, type, defaultValue }) =>
      `${key}: {name: 'c${fieldId}', type: ${quoteText(type)}, default_value: ${defaultValue}::VARCHAR}`,
  )
  return `read_parquet(${textList(paths)}, schema = MAP {${columns.join(', ')}})`
}
