import type { ColumnBatch, LeafColumn } from '@floe/parquet'

/** The same rows without the dictionaries that the decoder has made. */
export function plainStrings({ rowCount, columns }: ColumnBatch): ColumnBatch {
  return { rowCount, columns: columns.map(plainColumn) }
}

function plainColumn(column: LeafColumn): LeafColumn {
  const { values, valueCount } = column
  if (values.layout !== 'dictionary') return column
  const { ids, offsets: entries, data: distinct } = values
  const offsets = new Int32Array(valueCount + 1)
  for (let at = 0; at < valueCount; at++) {
    const id = ids[at] ?? 0
    offsets[at + 1] = (offsets[at] ?? 0) + (entries[id + 1] ?? 0) - (entries[id] ?? 0)
  }
  const data = new Uint8Array(offsets[valueCount] ?? 0)
  for (let at = 0; at < valueCount; at++) {
    const id = ids[at] ?? 0
    data.set(distinct.subarray(entries[id], entries[id + 1]), offsets[at])
  }
  return { ...column, values: { layout: 'bytes', offsets, data } }
}
