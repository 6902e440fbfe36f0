import { connectSource, exportSnapshot, findSourceTables, planChunks, planColumns } from '@floe/postgres'
import type { Chunk, ColumnPlan } from '@floe/postgres'

export type OpenChunks = AsyncDisposable & {
  readonly snapshotId: string
  readonly columns: readonly ColumnPlan[]
  readonly chunks: readonly Chunk[]
  readonly nextChunk: () => Chunk | undefined
}

/** The chunks of a table at one instant, as a load cuts them; the instant is kept until it is disposed. */
export async function openChunks({
  url,
  table,
  workers,
}: {
  readonly url: string
  readonly table: string
  readonly workers: number
}): Promise<OpenChunks> {
  const holder = await connectSource(url)
  const [source] = await findSourceTables(holder, table)
  if (source === undefined) throw new Error(`no table ${table}`)
  const snapshot = await exportSnapshot(holder, { tables: [source] })
  const { chunks } = await planChunks(holder, source, { workers })
  let next = 0
  return {
    snapshotId: snapshot.id,
    columns: planColumns(source),
    chunks,
    nextChunk: () => chunks[next++],
    [Symbol.asyncDispose]: async () => {
      await snapshot.release()
      await holder.end()
    },
  }
}
