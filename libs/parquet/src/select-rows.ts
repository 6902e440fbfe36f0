import type { ColumnBatch, LeafColumn, LeafValues } from './column.ts'
import { definitionLevelOfValues } from './definition-level.ts'
import { gatherValues } from './gather.ts'

/**
 * The batch's rows at the positions `rows`, in that order; a row may be named twice. Flat and nested columns.
 * A dictionary is shared with the source, everything else is a copy.
 */
export function selectRows(batch: ColumnBatch, rows: Int32Array | Uint32Array): ColumnBatch {
  const picks = new Int32Array(rows.buffer, rows.byteOffset, rows.length)
  return { rowCount: picks.length, columns: batch.columns.map((column) => selectColumn(column, picks)) }
}

function selectColumn(column: LeafColumn, rows: Int32Array): LeafColumn {
  const { fieldId, definitionLevels, repetitionLevels } = column
  if (definitionLevels === undefined && repetitionLevels === undefined) {
    return {
      ...column,
      levelCount: rows.length,
      valueCount: rows.length,
      values: pickValues(column.values, rows, rows.length),
    }
  }
  const entries = repetitionLevels === undefined ? rows : entriesOfRows(column, repetitionLevels, rows)
  const valuePositions = positionsOfValues(column)
  const picks = new Int32Array(entries.length)
  let valueCount = 0
  for (let index = 0; index < entries.length; index++) {
    const position = valuePositions[entries[index] as number] as number
    if (position >= 0) picks[valueCount++] = position
  }
  return {
    fieldId,
    levelCount: entries.length,
    valueCount,
    definitionLevels: definitionLevels && pickLevels(definitionLevels, entries),
    repetitionLevels: repetitionLevels && pickLevels(repetitionLevels, entries),
    values: pickValues(column.values, picks, valueCount),
  }
}

function pickValues(values: LeafValues, picks: Int32Array, count: number): LeafValues {
  if (values.layout !== 'dictionary') return gatherValues(values, picks, count)
  const ids = new Int32Array(count)
  for (let index = 0; index < count; index++) ids[index] = values.ids[picks[index] as number] as number
  return { ...values, ids }
}

function pickLevels(levels: Uint8Array, entries: Int32Array): Uint8Array {
  const out = new Uint8Array(entries.length)
  for (let index = 0; index < entries.length; index++) out[index] = levels[entries[index] as number] as number
  return out
}

/** Position in `values` of each entry, -1 where it has none. */
export function positionsOfValues(column: LeafColumn): Int32Array {
  const positions = new Int32Array(column.levelCount)
  const { definitionLevels } = column
  const max = definitionLevelOfValues(column)
  let next = 0
  for (let entry = 0; entry < column.levelCount; entry++) {
    const isValue = definitionLevels === undefined || definitionLevels[entry] === max
    positions[entry] = isValue ? next++ : -1
  }
  return positions
}

/** The entries of the picked rows: a row goes from one repetition level 0 to before the next. */
function entriesOfRows(column: LeafColumn, repetitionLevels: Uint8Array, rows: Int32Array): Int32Array {
  const starts = new Int32Array(column.levelCount + 1)
  let rowCount = 0
  for (let entry = 0; entry < column.levelCount; entry++)
    if (repetitionLevels[entry] === 0) starts[rowCount++] = entry
  starts[rowCount] = column.levelCount
  let total = 0
  for (const row of rows) total += (starts[row + 1] as number) - (starts[row] as number)
  const entries = new Int32Array(total)
  let at = 0
  for (const row of rows) {
    const end = starts[row + 1] as number
    for (let entry = starts[row] as number; entry < end; entry++) entries[at++] = entry
  }
  return entries
}
