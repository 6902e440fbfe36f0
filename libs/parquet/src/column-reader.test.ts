import type { PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchBytes } from './batch-bytes.ts'
import { createColumnReader } from './column-reader.ts'
import type { LeafColumn } from './column.ts'
import { selectRows } from './select-rows.ts'
import { batchOfRows } from './testing/batch-of-rows.ts'
import { primitiveSchema, primitiveTypes, valueArbitrary } from './testing/value-arbitraries.ts'

const narrow = (type: PrimitiveType, value: PrimitiveValue | null): PrimitiveValue | null =>
  type.kind === 'float' && value !== null ? Math.fround(value as number) : value

describe('createColumnReader', () => {
  it.each(primitiveTypes.map((type, index) => [type.kind, type, index] as const))(
    'reads %s values by row, nulls included, before and after selecting rows',
    (_, type, index) => {
      fc.assert(
        fc.property(fc.array(fc.option(valueArbitrary(type)), { minLength: 1, maxLength: 20 }), (values) => {
          const batch = batchOfRows(
            primitiveSchema,
            values.map((value) => ({ [`c${index}`]: value })),
          )
          const picks = Uint32Array.from([values.length - 1, 0, 0])
          const read = createColumnReader(batch.columns[index] as LeafColumn, type)
          const readPicked = createColumnReader(selectRows(batch, picks).columns[index] as LeafColumn, type)
          expect(values.map((_, row) => read(row))).toEqual(values.map((value) => narrow(type, value)))
          expect([0, 1, 2].map(readPicked)).toEqual(
            Array.from(picks, (row) => narrow(type, values[row] ?? null)),
          )
        }),
        { numRuns: 30 },
      )
    },
  )

  it('reads ids of a dictionary', () => {
    const column: LeafColumn = {
      fieldId: 1,
      levelCount: 3,
      valueCount: 2,
      definitionLevels: Uint8Array.of(1, 0, 1),
      repetitionLevels: undefined,
      values: {
        layout: 'dictionary',
        ids: Int32Array.of(1, 0),
        dictionaryCount: 2,
        offsets: Int32Array.of(0, 1, 3),
        data: new TextEncoder().encode('abc'),
      },
    }
    const read = createColumnReader(column, { kind: 'string' })
    expect([0, 1, 2].map(read)).toEqual(['bc', null, 'a'])
    const picked = selectRows({ rowCount: 3, columns: [column] }, Int32Array.of(2, 1))
      .columns[0] as LeafColumn
    expect([0, 1].map(createColumnReader(picked, { kind: 'string' }))).toEqual(['a', null])
  })

  it('refuses a column inside a list', () => {
    const schema: Schema = {
      schemaId: 0,
      fields: [
        {
          id: 1,
          name: 'l',
          type: { kind: 'list', elementId: 2, element: { kind: 'int' }, elementRequired: true },
          required: true,
        },
      ],
    }
    const [column] = batchOfRows(schema, [{ l: [1] }]).columns
    expect(() => createColumnReader(column as LeafColumn, { kind: 'int' })).toThrow(/list or map/)
  })
})

describe('batchBytes', () => {
  it('counts values and levels, not the spare room of buffers', () => {
    const roomy: LeafColumn = {
      fieldId: 1,
      levelCount: 3,
      valueCount: 2,
      definitionLevels: new Uint8Array(1000),
      repetitionLevels: undefined,
      values: { layout: 'int64', words: new Int32Array(1000) },
    }
    expect(batchBytes({ rowCount: 3, columns: [roomy] })).toBe(3 + 16)
    const strings = batchOfRows(primitiveSchema, [{ c10: 'abc' }, { c10: 'de' }]).columns[10] as LeafColumn
    expect(batchBytes({ rowCount: 2, columns: [strings] })).toBe(5 + 8)
  })
})
