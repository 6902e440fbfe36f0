import { zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import type { DataFile, Schema } from '@floe/iceberg'
import type { ColumnBatch, LeafColumn } from '@floe/parquet'
import type { ObjectStore } from '@floe/storage'

/** Rows as tests write them: a long and an optional string, as in `ordersSchema`. */
export type Order = { readonly id: bigint; readonly note: string | null }

/** A batch whose notes are a dictionary, as the PostgreSQL reader makes them. */
export function batchOfOrders(rows: readonly Order[]): ColumnBatch {
  const notes = rows.flatMap(({ note }) => (note === null ? [] : [note]))
  const entries = [...new Set(notes)]
  const encoded = entries.map((entry) => new TextEncoder().encode(entry))
  const offsets = new Int32Array(entries.length + 1)
  encoded.forEach((bytes, index) => (offsets[index + 1] = (offsets[index] ?? 0) + bytes.length))
  const data = new Uint8Array(Buffer.concat(encoded))
  const ids = Int32Array.from(notes, (note) => entries.indexOf(note))
  const hasNull = notes.length < rows.length
  return {
    rowCount: rows.length,
    columns: [
      longColumn(
        1,
        rows.map(({ id }) => id),
      ),
      {
        fieldId: 2,
        levelCount: rows.length,
        valueCount: notes.length,
        definitionLevels: hasNull ? Uint8Array.from(rows, ({ note }) => (note === null ? 0 : 1)) : undefined,
        repetitionLevels: undefined,
        values: { layout: 'dictionary', ids, dictionaryCount: entries.length, offsets, data },
      },
    ],
  }
}

function longColumn(fieldId: number, values: readonly bigint[]): LeafColumn {
  return {
    fieldId,
    levelCount: values.length,
    valueCount: values.length,
    definitionLevels: undefined,
    repetitionLevels: undefined,
    values: { layout: 'int64', words: new Int32Array(BigInt64Array.from(values).buffer) },
  }
}

/** Overwrites everything that a reader fills again for its next batch. */
export function scribble({ columns }: ColumnBatch): void {
  for (const { values, definitionLevels } of columns) {
    definitionLevels?.fill(0)
    if (values.layout === 'int64') values.words.fill(-1)
    if (values.layout !== 'dictionary') continue
    values.ids.fill(0)
    values.offsets.fill(0)
    values.data.fill(33)
  }
}

/** Rows of data files by hyparquet, which shares no code with the encoder. */
export async function readOrders(files: readonly DataFile[], store: ObjectStore): Promise<readonly Order[]> {
  const rows: Order[] = []
  for (const { filePath } of files) {
    const bytes = await store.get(filePath)
    const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) }
    rows.push(
      ...((await parquetReadObjects({
        file: bytes.slice().buffer,
        compressors,
      })) as readonly unknown[] as readonly Order[]),
    )
  }
  return rows
}

export function byId(left: Order, right: Order): number {
  return Number(left.id - right.id)
}

export const partitionedByNote = {
  specId: 0,
  fields: [{ sourceIds: [2], fieldId: 1000, name: 'note', transform: { kind: 'identity' } }],
} as const

/** The schema of one optional column, for partition tests. */
export function oneColumn(type: Schema['fields'][number]['type']): Schema {
  return { schemaId: 0, fields: [{ id: 1, name: 'c', type, required: false }] }
}
