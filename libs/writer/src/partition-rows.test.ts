import { applyTransform, parseTransform } from '@floe/iceberg'
import type { PartitionSpec, PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import type { ColumnBatch, LeafValues } from '@floe/parquet'
import { describe, expect, it } from 'vitest'
import { partitionKey, partitionRows } from './partition-rows.ts'
import { oneColumn } from './testing/rows.ts'

type Values = readonly (PrimitiveValue | null)[]

function batchOf(rows: Values, values: LeafValues): ColumnBatch {
  const valueCount = rows.filter((value) => value !== null).length
  const definitionLevels =
    valueCount === rows.length ? undefined : Uint8Array.from(rows, (value) => (value === null ? 0 : 1))
  const column = {
    fieldId: 1,
    levelCount: rows.length,
    valueCount,
    definitionLevels,
    repetitionLevels: undefined,
    values,
  }
  return { rowCount: rows.length, columns: [column] }
}

function specOf(...transforms: readonly string[]): PartitionSpec {
  const fields = transforms.map((text, index) => ({
    sourceIds: [1],
    fieldId: 1000 + index,
    name: `c${index}`,
    transform: parseTransform(text),
  }))
  return { specId: 0, fields }
}

const int64 = (values: Values): LeafValues => ({
  layout: 'int64',
  words: new Int32Array(BigInt64Array.from(values.filter((value) => typeof value === 'bigint')).buffer),
})
const int32 = (values: Values): LeafValues => ({
  layout: 'int32',
  values: Int32Array.from(
    values.filter((value) => value !== null),
    Number,
  ),
})
const bytes = (values: Values): LeafValues => {
  const parts = values.flatMap((value) =>
    value === null ? [] : [typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)],
  )
  const offsets = new Int32Array(parts.length + 1)
  parts.forEach((part, index) => (offsets[index + 1] = (offsets[index] ?? 0) + part.length))
  return { layout: 'bytes', offsets, data: new Uint8Array(Buffer.concat(parts)) }
}
const uuids = (values: Values): LeafValues => ({
  layout: 'fixed',
  width: 16,
  data: new Uint8Array(
    Buffer.from(
      values
        .filter((value) => value !== null)
        .join('')
        .replaceAll('-', ''),
      'hex',
    ),
  ),
})
const booleans = (values: Values): LeafValues => ({
  layout: 'boolean',
  bytes: Uint8Array.from(
    values.filter((value) => value !== null),
    Number,
  ),
})

const micros = (text: string): bigint => BigInt(Date.parse(text)) * 1000n
const instants: Values = [
  micros('2024-02-29T23:59:59Z'),
  null,
  micros('1969-12-31T23:59:59Z'),
  -1n,
  0n,
  micros('2024-02-29T23:00:00Z'),
  null,
]
const days: Values = [0, -1, 19_782, null, 19_783, -1]

const columns: readonly {
  readonly type: PrimitiveType
  readonly rows: Values
  readonly values: LeafValues
  readonly transforms: readonly string[]
}[] = [
  {
    type: { kind: 'timestamp' },
    rows: instants,
    values: int64(instants),
    transforms: ['year', 'month', 'day', 'hour', 'identity', 'bucket[4]', 'void'],
  },
  {
    type: { kind: 'timestamptz' },
    rows: instants,
    values: int64(instants),
    transforms: ['year', 'month', 'day', 'hour', 'bucket[4]'],
  },
  {
    type: { kind: 'date' },
    rows: days,
    values: int32(days),
    transforms: ['year', 'month', 'day', 'identity', 'bucket[4]'],
  },
  ...[[5n, -5n, null, 2n ** 62n, 5n, -(2n ** 63n)]].map((rows) => ({
    type: { kind: 'long' as const },
    rows,
    values: int64(rows),
    transforms: ['identity', 'bucket[3]', 'truncate[10]'],
  })),
  ...[[5, -5, null, 2 ** 31 - 1, 5]].map((rows) => ({
    type: { kind: 'int' as const },
    rows,
    values: int32(rows),
    transforms: ['identity', 'bucket[3]', 'truncate[10]'],
  })),
  ...[['', 'ice', null, 'iceberg', '\u{1F9CA}\u{1F30A}x', 'ice', '\u{1F9CA}\u{1F30A}y']].map((rows) => ({
    type: { kind: 'string' as const },
    rows,
    values: bytes(rows),
    transforms: ['identity', 'bucket[3]', 'truncate[2]'],
  })),
  ...[[Uint8Array.of(1, 2, 3), null, Uint8Array.of(), Uint8Array.of(1, 2, 4), Uint8Array.of(1, 2, 3)]].map(
    (rows) => ({
      type: { kind: 'binary' as const },
      rows,
      values: bytes(rows),
      transforms: ['identity', 'bucket[3]', 'truncate[2]'],
    }),
  ),
  ...[[1234n, -1234n, null, 1239n]].map((rows) => ({
    type: { kind: 'decimal' as const, precision: 9, scale: 2 },
    rows,
    values: int32(rows),
    transforms: ['identity', 'bucket[3]', 'truncate[10]'],
  })),
  ...[
    [
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
      null,
      '00000000-0000-0000-0000-000000000000',
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    ],
  ].map((rows) => ({
    type: { kind: 'uuid' as const },
    rows,
    values: uuids(rows),
    transforms: ['identity', 'bucket[3]'],
  })),
  ...[[true, null, false, true]].map((rows) => ({
    type: { kind: 'boolean' as const },
    rows,
    values: booleans(rows),
    transforms: ['identity'],
  })),
]

function assertGrouped(
  rows: Values,
  values: LeafValues,
  schema: Schema,
  spec: PartitionSpec,
  type: PrimitiveType,
): void {
  const groups = partitionRows(batchOf(rows, values), { schema, fileSchema: schema, spec })
  const partitionOfRow = new Map(
    groups.flatMap(({ partition, rows }) => [...rows].map((row) => [row, partition] as const)),
  )
  expect([...partitionOfRow.keys()].toSorted((left, right) => left - right)).toEqual(
    rows.map((_, row) => row),
  )
  rows.forEach((value, row) => {
    const expected = spec.fields.map(({ transform }) =>
      value === null || transform.kind === 'void' ? null : applyTransform(transform, type, value),
    )
    expect(partitionOfRow.get(row)).toEqual(expected)
  })
  expect(new Set(groups.map(({ partition }) => partitionKey(partition))).size).toBe(groups.length)
  for (const group of groups)
    expect([...group.rows]).toEqual([...group.rows].toSorted((left, right) => left - right))
}

describe('partitionRows', () => {
  const cases = columns.flatMap(({ transforms, ...column }) =>
    transforms.map((transform) => ({ ...column, transform, kind: column.type.kind })),
  )
  it.each(cases)(
    'groups a $kind column by $transform as row by row would',
    ({ type, rows, values, transform }) => {
      assertGrouped(rows, values, oneColumn(type), specOf(transform), type)
    },
  )

  it('groups by all fields of a spec together', () => {
    assertGrouped(
      instants,
      int64(instants),
      oneColumn({ kind: 'timestamp' }),
      specOf('day', 'bucket[4]', 'void'),
      { kind: 'timestamp' },
    )
  })

  it('keeps null, NaN, 0 and -0 of a floating column apart, whatever the order', () => {
    const rows = [0, -0, Number.NaN, null, -0, 0, Number.NaN, 1.5, null]
    const doubles = Float64Array.from(rows.filter((value) => value !== null))
    const schema = oneColumn({ kind: 'double' })
    const groups = partitionRows(batchOf(rows, { layout: 'double', values: doubles }), {
      schema,
      fileSchema: schema,
      spec: specOf('identity'),
    })
    expect(groups.map(({ partition, rows }) => [partition[0], [...rows]])).toEqual([
      [0, [0, 5]],
      [-0, [1, 4]],
      [Number.NaN, [2, 6]],
      [null, [3, 8]],
      [1.5, [7]],
    ])
  })

  it('gives one group of all rows without a spec', () => {
    const schema = oneColumn({ kind: 'int' })
    const groups = partitionRows(batchOf([1, 2], int32([1, 2])), {
      schema,
      fileSchema: schema,
      spec: specOf(),
    })
    expect(groups).toEqual([{ partition: [], rows: Int32Array.of(0, 1) }])
  })

  it.each([
    ['int', 'long', [7, null, -7], [7n, null, -7n]],
    ['date', 'timestamp', [1, null, -1], [86_400_000_000n, null, -86_400_000_000n]],
    ['date', 'timestamp_ns', [1], [86_400_000_000_000n]],
  ] as const)(
    'makes partitions of the type of the table: %s in a column that is %s',
    (file, table, rows, expected) => {
      const schemas = { schema: oneColumn({ kind: table }), fileSchema: oneColumn({ kind: file }) }
      const groups = partitionRows(batchOf(rows, int32(rows)), { ...schemas, spec: specOf('identity') })
      expect(groups.map(({ partition }) => partition[0])).toEqual(expected)
    },
  )

  it('takes a column that the batch does not have as null', () => {
    const schema: Schema = {
      schemaId: 0,
      fields: [
        ...oneColumn({ kind: 'int' }).fields,
        { id: 2, name: 'd', type: { kind: 'int' }, required: false },
      ],
    }
    const spec: PartitionSpec = {
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'd', transform: { kind: 'identity' } }],
    }
    const [group, ...others] = partitionRows(batchOf([1, 2], int32([1, 2])), {
      schema,
      fileSchema: oneColumn({ kind: 'int' }),
      spec,
    })
    expect(group?.partition).toEqual([null])
    expect(others).toEqual([])
  })
})

describe('partitionKey', () => {
  it('differs where tuples differ', () => {
    const tuples = [
      [null],
      ['null'],
      ['n'],
      [''],
      [0],
      [-0],
      ['0'],
      [0n],
      [Number.NaN],
      ['NaN'],
      [false],
      ['false'],
      [Uint8Array.of()],
      [Uint8Array.of(0)],
      ['00'],
      ['a', 'b'],
      ['a;s1:b'],
      ['ab', ''],
      ['', 'ab'],
      [null, 'a'],
      ['a', null],
    ]
    expect(new Set(tuples.map(partitionKey)).size).toBe(tuples.length)
  })

  it('is the same for equal bytes and for NaN', () => {
    expect(partitionKey([Uint8Array.of(1, 255)])).toBe(partitionKey([Uint8Array.of(1, 255)]))
    expect(partitionKey([Number.NaN])).toBe(partitionKey([0 / 0]))
  })
})
