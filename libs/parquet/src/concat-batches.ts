import { FloeError, leafFields, type Schema } from '@floe/iceberg/values'
import type { ColumnBatch, LeafColumn, LeafValues } from './column.ts'
import { gatherValues } from './gather.ts'
import { rawBytes } from './plain-encoding.ts'

/**
 * The rows of all batches, one batch after the other. The schema tells the maximum definition level, which a column
 * without nulls does not carry.
 * @throws FloeError `invalid-input` for no batch, or batches of different columns
 */
export function concatBatches(batches: readonly ColumnBatch[], schema: Schema): ColumnBatch {
  const [first] = batches
  if (first === undefined) throw new FloeError('invalid-input', 'there are no batches to concatenate')
  if (batches.length === 1) return first
  const leaves = leafFields(schema)
  const columns = first.columns.map(({ fieldId }, index) => {
    const parts = batches.map((batch) => columnAt(batch, index, fieldId))
    return concatColumns(parts, leaves[index]?.maxDefinitionLevel ?? 0)
  })
  return { rowCount: batches.reduce((total, batch) => total + batch.rowCount, 0), columns }
}

function columnAt(batch: ColumnBatch, index: number, fieldId: number): LeafColumn {
  const column = batch.columns[index]
  if (column?.fieldId === fieldId) return column
  throw new FloeError(
    'invalid-input',
    `batches differ: column ${index} is field ${fieldId} in the first one only`,
  )
}

function concatColumns(parts: readonly LeafColumn[], definitionLevelMax: number): LeafColumn {
  const levelCount = parts.reduce((total, part) => total + part.levelCount, 0)
  const hasDefinitions = parts.some((part) => part.definitionLevels !== undefined)
  const hasRepetitions = parts.some((part) => part.repetitionLevels !== undefined)
  return {
    fieldId: parts[0]?.fieldId ?? 0,
    levelCount,
    valueCount: parts.reduce((total, part) => total + part.valueCount, 0),
    definitionLevels: hasDefinitions
      ? concatLevels(parts, levelCount, (part) => part.definitionLevels, definitionLevelMax)
      : undefined,
    repetitionLevels: hasRepetitions
      ? concatLevels(parts, levelCount, (part) => part.repetitionLevels, 0)
      : undefined,
    values: concatValues(parts),
  }
}

function concatLevels(
  parts: readonly LeafColumn[],
  levelCount: number,
  levelsOf: (part: LeafColumn) => Uint8Array | undefined,
  absent: number,
): Uint8Array {
  const out = new Uint8Array(levelCount)
  let at = 0
  for (const part of parts) {
    const levels = levelsOf(part)
    if (levels === undefined) out.fill(absent, at, at + part.levelCount)
    else out.set(levels.subarray(0, part.levelCount), at)
    at += part.levelCount
  }
  return out
}

function concatValues(parts: readonly LeafColumn[]): LeafValues {
  const [first] = parts
  if (first === undefined) throw new FloeError('internal', 'there are no columns to concatenate')
  const { values } = first
  switch (values.layout) {
    case 'boolean':
      return { layout: 'boolean', bytes: joinMemory(parts, 1) }
    case 'fixed':
      return { ...values, data: joinMemory(parts, values.width) }
    case 'int32':
      return { layout: 'int32', values: new Int32Array(joinMemory(parts, 4).buffer) }
    case 'float':
      return { layout: 'float', values: new Float32Array(joinMemory(parts, 4).buffer) }
    case 'double':
      return { layout: 'double', values: new Float64Array(joinMemory(parts, 8).buffer) }
    case 'int64':
      return { layout: 'int64', words: new Int32Array(joinMemory(parts, 8).buffer) }
    case 'bytes':
    case 'dictionary':
      return joinSharedDictionary(parts, values) ?? joinByteArrays(parts.map(asByteArrays))
  }
}

/** The used memory of fixed-width values. */
function joinMemory(parts: readonly LeafColumn[], width: number): Uint8Array<ArrayBuffer> {
  const valueCount = parts.reduce((total, part) => total + part.valueCount, 0)
  const out = new Uint8Array(valueCount * width)
  let at = 0
  for (const { values, valueCount } of parts) {
    out.set(rawBytes(values).subarray(0, valueCount * width), at)
    at += valueCount * width
  }
  return out
}

/** Parts selected from one batch share its dictionary: their ids alone are joined. */
function joinSharedDictionary(parts: readonly LeafColumn[], first: LeafValues): LeafValues | undefined {
  if (first.layout !== 'dictionary') return undefined
  const ids = new Int32Array(parts.reduce((total, part) => total + part.valueCount, 0))
  let at = 0
  for (const { values, valueCount } of parts) {
    if (values.layout !== 'dictionary' || values.offsets !== first.offsets || values.data !== first.data)
      return undefined
    ids.set(values.ids.subarray(0, valueCount), at)
    at += valueCount
  }
  return { ...first, ids }
}

type ByteArrays = { readonly offsets: Int32Array; readonly data: Uint8Array; readonly count: number }

function asByteArrays({ values, valueCount }: LeafColumn): ByteArrays {
  const plain = values.layout === 'dictionary' ? gatherValues(values, values.ids, valueCount) : values
  if (plain.layout === 'bytes') return { ...plain, count: valueCount }
  throw new FloeError('invalid-input', `batches differ: layout ${plain.layout} where the first one has bytes`)
}

function joinByteArrays(parts: readonly ByteArrays[]): LeafValues {
  const offsets = new Int32Array(parts.reduce((total, part) => total + part.count, 0) + 1)
  const data = new Uint8Array(parts.reduce((total, part) => total + byteLength(part), 0))
  let index = 0
  let end = 0
  for (const part of parts) {
    const start = part.offsets[0] ?? 0
    data.set(part.data.subarray(start, start + byteLength(part)), end)
    for (let value = 1; value <= part.count; value++) {
      offsets[++index] = end + (part.offsets[value] as number) - start
    }
    end += byteLength(part)
  }
  return { layout: 'bytes', offsets, data }
}

function byteLength({ offsets, count }: ByteArrays): number {
  return (offsets[count] ?? 0) - (offsets[0] ?? 0)
}
