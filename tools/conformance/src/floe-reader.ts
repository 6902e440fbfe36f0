import type { JsonValue } from '@floe/iceberg'
import { defaultWorkers, jsonOf, Lakehouse, readSettings } from '@floe/lakehouse'

/** Floe as a client of a catalog that is served, in this process: what `floe sql --catalog URL` does. */
export type FloeReader = AsyncDisposable & {
  readonly lakehouse: Lakehouse
  /** The rows as arrays of JSON values; integers beyond 2^53 as text. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>
}

export function openFloeReader(
  catalog: string,
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): FloeReader {
  const lakehouse = new Lakehouse(readSettings({ catalog }, settings, directory, defaultWorkers()))
  const rows = async (sql: string): Promise<readonly (readonly unknown[])[]> => {
    const result = await lakehouse.query(sql)
    const all: unknown[][] = []
    for await (const batch of result.rows()) for (const row of batch) all.push(row.map(cell))
    await result.close()
    return all
  }
  return { lakehouse, rows, [Symbol.asyncDispose]: () => lakehouse.close() }
}

function cell(value: unknown): JsonValue {
  return typeof value === 'bigint' ? String(value) : jsonOf(value)
}
