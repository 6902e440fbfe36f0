import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseSortExpression } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import type { ColumnBatch, LeafValues } from '@floe/parquet'
import { PartitionFanOut } from './partition-fan-out.ts'
import type { FanOutSettings } from './partition-fan-out.ts'
import { sortRows } from './sort-rows.ts'
import { openLake, ordersSchema } from './testing/open-lake.ts'
import type { Lake } from './testing/open-lake.ts'
import { batchOfOrders, byId, oneColumn, partitionedByNote, readOrders, scribble } from './testing/rows.ts'
import type { Order } from './testing/rows.ts'
import { parseWriteSettings } from './write-settings.ts'

describe('sortRows', () => {
  function sorted(order: string, values: readonly (number | null)[]): readonly (number | null)[] {
    const schema = oneColumn({ kind: 'double' })
    const present = values.filter((value) => value !== null)
    const batch: ColumnBatch = {
      rowCount: values.length,
      columns: [
        {
          fieldId: 1,
          levelCount: values.length,
          valueCount: present.length,
          definitionLevels: Uint8Array.from(values, (value) => (value === null ? 0 : 1)),
          repetitionLevels: undefined,
          values: { layout: 'double', values: Float64Array.from(present) },
        },
      ],
    }
    const rows = sortRows(batch, { schema, fileSchema: schema }, parseSortExpression(order, schema))
    return Array.from(rows, (row) => values[row] ?? null)
  }

  it('puts -0 before 0 and NaN above all, and nulls where they were asked for', () => {
    const values = [NaN, 0, null, -0, Infinity, -Infinity, 1, null]
    const ascending = [-Infinity, -0, 0, 1, Infinity, NaN]
    expect(sorted('c', values)).toEqual([null, null, ...ascending])
    expect(sorted('c nulls last', values)).toEqual([...ascending, null, null])
    expect(sorted('c desc', values)).toEqual([...ascending.toReversed(), null, null])
    expect(sorted('c desc nulls first', values)).toEqual([null, null, ...ascending.toReversed()])
  })

  it('orders by what transforms make, then by the next term, and keeps the order of equal rows', () => {
    const rows = ['bc', null, 'ba', 'a', '\u{ff5e}', '\u{1f418}', 'bb'].map((note, id) => ({
      id: BigInt(id),
      note,
    }))
    const schemas = { schema: ordersSchema, fileSchema: ordersSchema }
    const order = (text: string): readonly number[] => [
      ...sortRows(batchOfOrders(rows), schemas, parseSortExpression(text, ordersSchema)),
    ]
    // UTF-8 byte order, not that of UTF-16: U+FF5E before U+1F418.
    expect(order('note')).toEqual([1, 3, 2, 6, 0, 4, 5])
    expect(order('truncate(1, note)')).toEqual([1, 3, 0, 2, 6, 4, 5])
    expect(order('truncate(1, note), id desc')).toEqual([1, 3, 6, 2, 0, 4, 5])
  })

  it('takes a column that the files do not have as null', () => {
    const wide = {
      ...ordersSchema,
      fields: [
        ...ordersSchema.fields,
        { id: 9, name: 'gone', type: { kind: 'int' }, required: false } as const,
      ],
    }
    const order = parseSortExpression('gone, id desc', wide)
    const batch = batchOfOrders([1n, 2n].map((id) => ({ id, note: null })))
    expect([...sortRows(batch, { schema: ordersSchema, fileSchema: ordersSchema }, order)]).toEqual([1, 0])
  })

  it('sorts 64-bit words by value', () => {
    const schema = oneColumn({ kind: 'long' })
    const longs = [5n, -1n, 2n ** 40n, -(2n ** 63n), 0n]
    const values: LeafValues = { layout: 'int64', words: new Int32Array(BigInt64Array.from(longs).buffer) }
    const column = {
      fieldId: 1,
      levelCount: 5,
      valueCount: 5,
      definitionLevels: undefined,
      repetitionLevels: undefined,
      values,
    }
    const rows = sortRows(
      { rowCount: 5, columns: [column] },
      { schema, fileSchema: schema },
      parseSortExpression('c', schema),
    )
    expect(Array.from(rows, (row) => longs[row])).toEqual([-(2n ** 63n), -1n, 0n, 5n, 2n ** 40n])
  })
})

describe('sorted files', () => {
  let lake: Lake
  beforeEach(async () => {
    lake = await openLake()
  })
  afterEach(() => lake[Symbol.asyncDispose]())

  async function write(changes: Partial<FanOutSettings>, properties = {}): Promise<readonly DataFile[]> {
    const settings = parseWriteSettings(properties)
    const location = { tableLocation: `file://${lake.folder}/warehouse/orders`, settings }
    let files = 0
    const writer = new PartitionFanOut(
      {
        schema: ordersSchema,
        fileSchema: ordersSchema,
        spec: { specId: 0, fields: [] },
        location,
        write: settings,
        sortOrder: { ...parseSortExpression('note desc, id', ordersSchema), orderId: 3 },
        ...changes,
      },
      { store: lake.store, clock: { now: () => 0 }, nextFileName: () => `f${files++}.parquet` },
    )
    for (let start = 0; start < 2000; start += 250) {
      const batch = batchOfOrders(rows.slice(start, start + 250))
      await writer.write(batch)
      scribble(batch)
    }
    return writer.finish()
  }

  const rows: readonly Order[] = Array.from({ length: 2000 }, (_, index) => {
    const id = (index * 7919) % 2000
    return { id: BigInt(id), note: id % 11 === 0 ? null : `note ${id % 13}` }
  })

  async function expectSorted(files: readonly DataFile[]): Promise<void> {
    const all: Order[] = []
    for (const file of files) {
      expect(file.sortOrderId).toBe(3)
      const read = await readOrders([file], lake.store)
      expect(read).toEqual(
        read.toSorted(
          (left, right) =>
            Number(left.note === null) - Number(right.note === null) ||
            ((left.note ?? '') < (right.note ?? '')
              ? 1
              : (left.note ?? '') > (right.note ?? '')
                ? -1
                : byId(left, right)),
        ),
      )
      all.push(...read)
    }
    expect(all.toSorted(byId)).toEqual([...rows].toSorted(byId))
  }

  it('hold one sorted run each, over all their row groups', async () => {
    const files = await write({ rowGroupRowsMax: 300 })
    expect(files).toHaveLength(1)
    expect(files[0]?.splitOffsets).toHaveLength(7)
    await expectSorted(files)
  })

  it('are as many as memory makes runs, and as the target size makes parts of a run', async () => {
    const runs = await write({ bufferedBytesMax: 5000 })
    expect(runs.length).toBeGreaterThan(2)
    await expectSorted(runs)
    const parts = await write({ rowGroupRowsMax: 100 }, { 'write.target-file-size-bytes': '1000' })
    expect(parts.length).toBeGreaterThan(2)
    await expectSorted(parts)
  })

  it('belong to one partition each', async () => {
    const files = await write({ spec: partitionedByNote, bufferedBytesMax: 10_000 })
    expect(files.length).toBeGreaterThan(14)
    await expectSorted(files)
  })
})
