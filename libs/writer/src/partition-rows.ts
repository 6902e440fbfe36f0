import { applyTransform, findFieldById, FloeError } from '@floe/iceberg/values'
import type {
  Partition,
  PartitionSpec,
  PrimitiveType,
  PrimitiveValue,
  Schema,
  Transform,
} from '@floe/iceberg'
import { createColumnReader } from '@floe/parquet'
import type { ColumnBatch } from '@floe/parquet'

/** Rows of a batch that share one partition, in their order in the batch. */
export type PartitionRows = { readonly partition: Partition; readonly rows: Int32Array }

/** What the columns of batches are. */
export type BatchSchemas = {
  /** The table's, which transforms are made for. */
  readonly schema: Schema
  /** The columns of the batch: each of the table's type, or of one that promotes to it. */
  readonly fileSchema: Schema
}

export type PartitionedTable = BatchSchemas & { readonly spec: PartitionSpec }

/** A field of a partition spec or of a sort order. */
export type TransformedField = { readonly sourceIds: readonly number[]; readonly transform: Transform }

const microsPerDay = 86_400_000_000n

export type TransformedColumn = (row: number) => PrimitiveValue | null

/** Groups a batch's rows by partition tuple; an unpartitioned spec gives one group of all rows. */
export function partitionRows(batch: ColumnBatch, table: PartitionedTable): readonly PartitionRows[] {
  const { spec } = table
  if (spec.fields.length === 0) return [{ partition: [], rows: allRows(batch.rowCount) }]
  const columns = spec.fields.map((field) => transformedColumn(batch, table, field))
  const groupOfKey = new Map<string, number>()
  const partitions: Partition[] = []
  const counts: number[] = []
  const groupOfRow = new Int32Array(batch.rowCount)
  for (let row = 0; row < batch.rowCount; row++) {
    const partition = columns.map((column) => column(row))
    const key = partitionKey(partition)
    let group = groupOfKey.get(key)
    if (group === undefined) {
      group = partitions.length
      groupOfKey.set(key, group)
      partitions.push(partition)
      counts.push(0)
    }
    groupOfRow[row] = group
    counts[group] = (counts[group] ?? 0) + 1
  }
  return gatherRows(partitions, counts, groupOfRow)
}

/** A string that is equal exactly when two partition tuples of one spec are. */
export function partitionKey(partition: Partition): string {
  let key = ''
  for (const value of partition) {
    if (value === null) key += 'n;'
    else if (value instanceof Uint8Array) key += `x${Buffer.from(value).toString('hex')};`
    else if (typeof value === 'string') key += `s${value.length}:${value};`
    else key += `${typeof value}${Object.is(value, -0) ? '-0' : String(value)};`
  }
  return key
}

/** What a transform makes of each row's value; null where the batch has no such column. */
export function transformedColumn(
  batch: ColumnBatch,
  table: BatchSchemas,
  field: TransformedField,
): TransformedColumn {
  const sourceId = field.sourceIds[0]
  const column = batch.columns.find(({ fieldId }) => fieldId === sourceId)
  if (sourceId === undefined || column === undefined || field.transform.kind === 'void') return () => null
  const type = primitiveType(table.schema, sourceId)
  const read = createColumnReader(column, primitiveType(table.fileSchema, sourceId))
  return transformedReader((row) => promote(read(row), type), field, type)
}

/** A file's int in a column that is long, or its date in one that is a timestamp, in the form of the wider type. */
function promote(value: PrimitiveValue | null, type: PrimitiveType): PrimitiveValue | null {
  if (typeof value !== 'number') return value
  switch (type.kind) {
    case 'long':
      return BigInt(value)
    case 'timestamp':
      return BigInt(value) * microsPerDay
    case 'timestamp_ns':
      return BigInt(value) * microsPerDay * 1000n
    default:
      return value
  }
}

export function primitiveType(schema: Schema, sourceId: number): PrimitiveType {
  const type = findFieldById(schema, sourceId)?.type
  if (type !== undefined && type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map') return type
  throw new FloeError(
    'invalid-input',
    `field ${sourceId}, which rows are partitioned or sorted by, is no primitive column`,
    {
      hint: 'partition and sort by columns of primitive types',
    },
  )
}

// Rows of one chunk mostly repeat the value before: a one-entry memo saves the transform.
function transformedReader(
  read: (row: number) => PrimitiveValue | null,
  field: TransformedField,
  type: PrimitiveType,
): TransformedColumn {
  let lastSource: PrimitiveValue | null = null
  let lastResult: PrimitiveValue | null = null
  return (row) => {
    const source = read(row)
    if (source === null) return null
    // 0 and -0 are equal to ===, and two partitions.
    if (Object.is(source, lastSource)) return lastResult
    lastSource = source
    lastResult = applyTransform(field.transform, type, source)
    return lastResult
  }
}

function gatherRows(
  partitions: readonly Partition[],
  counts: readonly number[],
  groupOfRow: Int32Array,
): PartitionRows[] {
  const groups = partitions.map((partition, group) => ({
    partition,
    rows: new Int32Array(counts[group] ?? 0),
  }))
  const filled = new Int32Array(partitions.length)
  for (let row = 0; row < groupOfRow.length; row++) {
    const group = groupOfRow[row] ?? 0
    const target = groups[group]
    const position = filled[group] ?? 0
    if (target !== undefined) target.rows[position] = row
    filled[group] = position + 1
  }
  return groups
}

function allRows(rowCount: number): Int32Array {
  const rows = new Int32Array(rowCount)
  for (let row = 0; row < rowCount; row++) rows[row] = row
  return rows
}
