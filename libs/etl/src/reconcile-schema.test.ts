import { newTableMetadata } from '@floe/iceberg'
import type { TableMetadata, Type } from '@floe/iceberg'
import type { ColumnPlan } from '@floe/postgres'
import { describe, expect, it } from 'vitest'
import { createSchema, reconcileSchema } from './reconcile-schema.ts'
import { sourceMappingProperties } from './source-mapping.ts'

type Column = {
  readonly attnum: number
  readonly name: string
  readonly type: Type
  readonly required?: boolean
}

function plan({ attnum, name, type, required = false }: Column): ColumnPlan {
  return {
    attnum,
    name,
    type,
    required,
    fieldId: attnum,
    select: `"${name}"`,
    wire: { kind: 'text' },
    policy: { infinity: 'error', nan: 'error', outOfRange: 'error', dimensions: 'error' },
  }
}

const id: Column = { attnum: 1, name: 'id', type: { kind: 'int' }, required: true }
const label: Column = { attnum: 2, name: 'label', type: { kind: 'string' }, required: true }

function tableOf(columns: readonly Column[]): TableMetadata {
  const created = createSchema(columns.map(plan), ['id'])
  return newTableMetadata({
    schema: created.schema,
    location: 'memory://t',
    properties: sourceMappingProperties({ table: 'public.t', fieldIdByAttnum: created.fieldIdByAttnum }),
    uuid: '00000000-0000-4000-8000-000000000000',
    nowMs: 0,
    formatVersion: 2,
  })
}

describe('createSchema', () => {
  it('makes the primary key the identifier, numbers columns first and list elements after them', () => {
    const list: Type = { kind: 'list', elementId: 99, element: { kind: 'int' }, elementRequired: false }
    const { schema } = createSchema(
      [plan(id), plan({ attnum: 2, name: 'tags', type: list }), plan({ ...label, attnum: 3 })],
      ['id'],
    )
    expect(schema.identifierFieldIds).toEqual([1])
    expect(schema.fields.map((field) => field.id)).toEqual([1, 2, 3])
    expect(schema.fields[1]?.type).toMatchObject({ kind: 'list', elementId: 4 })
  })
})

describe('reconcileSchema', () => {
  it('keeps the field of a column that was renamed in the source', () => {
    const { schema, changes } = reconcileSchema(
      't',
      tableOf([id, label]),
      [plan(id), plan({ ...label, name: 'title' })],
      'keep',
    )
    expect(schema.fields.map(({ id: fieldId, name }) => [fieldId, name])).toEqual([
      [1, 'id'],
      [2, 'title'],
    ])
    expect(changes).toEqual([{ kind: 'rename', column: 'label', to: 'title' }])
  })

  it('adds a new column as optional, even when the source has it as NOT NULL', () => {
    const added = plan({ attnum: 3, name: 'price', type: { kind: 'double' }, required: true })
    const { schema, fileSchema } = reconcileSchema(
      't',
      tableOf([id, label]),
      [plan(id), plan(label), added],
      'keep',
    )
    expect(schema.fields[2]).toMatchObject({ id: 3, name: 'price', required: false })
    expect(fileSchema.fields.map((field) => field.id)).toEqual([1, 2, 3])
  })

  it('gives a column that was dropped and made again a new field', () => {
    const again = plan({ attnum: 3, name: 'label', type: { kind: 'string' } })
    const { schema, changes } = reconcileSchema('t', tableOf([id, label]), [plan(id), again], 'keep')
    expect(schema.fields.map(({ id: fieldId, name }) => [fieldId, name])).toEqual([
      [1, 'id'],
      [3, 'label'],
    ])
    expect(changes).toEqual([
      { kind: 'drop', column: 'label' },
      { kind: 'add', column: 'label' },
    ])
  })

  it('keeps a column that is gone from the source, without requiring it', () => {
    const { schema, fileSchema } = reconcileSchema('t', tableOf([id, label]), [plan(id)], 'keep')
    expect(schema.fields[1]).toMatchObject({ id: 2, required: false })
    expect(fileSchema.fields.map((field) => field.id)).toEqual([1])
  })

  it('widens int to long, and writes int files to a long column unchanged', () => {
    const wide = plan({ ...id, type: { kind: 'long' } })
    const { schema, changes } = reconcileSchema('t', tableOf([id]), [wide], 'keep')
    expect(schema.fields[0]?.type.kind).toBe('long')
    expect(changes).toEqual([{ kind: 'widen', column: 'id', from: 'int', to: 'long' }])
    const narrow = reconcileSchema('t', tableOf([{ ...id, type: { kind: 'long' } }]), [plan(id)], 'keep')
    expect([narrow.schema.fields[0]?.type.kind, narrow.fileSchema.fields[0]?.type.kind]).toEqual([
      'long',
      'int',
    ])
    expect(narrow.changes).toEqual([])
  })

  it('gives new members of a struct fresh ids, keeps gone ones as optional, and widens others', () => {
    const struct = (...members: readonly (readonly [string, Type])[]): Type => ({
      kind: 'struct',
      fields: members.map(([name, type]) => ({ id: 0, name, type, required: false })),
    })
    const list = (element: Type): Type => ({ kind: 'list', elementId: 0, element, elementRequired: false })
    const column = (type: Type): Column => ({ attnum: 1, name: 'c', type })
    const before = struct(['a', { kind: 'int' }], ['gone', { kind: 'string' }])
    const after = struct(['new', list({ kind: 'int' })], ['a', { kind: 'long' }])
    const { schema, fileSchema, changes, lastColumnId } = reconcileSchema(
      't',
      tableOf([column(list(before))]),
      [plan(column(list(after)))],
      'keep',
    )
    expect(changes).toMatchObject([{ kind: 'widen', column: 'c' }])
    expect(lastColumnId).toBe(6)
    const members = (type: Type | undefined): unknown =>
      type?.kind === 'list' && type.element.kind === 'struct'
        ? [
            type.elementId,
            type.element.fields.map((field) => [field.id, field.name, field.type.kind, field.required]),
          ]
        : undefined
    expect(members(schema.fields[0]?.type)).toEqual([
      2,
      [
        [3, 'a', 'long', false],
        [4, 'gone', 'string', false],
        [6, 'new', 'list', false],
      ],
    ])
    expect(members(fileSchema.fields[0]?.type)).toEqual([
      2,
      [
        [6, 'new', 'list', false],
        [3, 'a', 'long', false],
      ],
    ])
    const unfit = [plan(column(list(struct(['a', { kind: 'string' }]))))]
    expect(() => reconcileSchema('t', tableOf([column(list(before))]), unfit, 'keep')).toThrow(
      /struct<.*in the source/,
    )
  })

  it('makes a required column optional when the source allows nulls, and drops it from the identifiers', () => {
    const { schema, changes } = reconcileSchema(
      't',
      tableOf([id]),
      [plan({ ...id, required: false })],
      'keep',
    )
    expect(schema.fields[0]?.required).toBe(false)
    expect(schema.identifierFieldIds).toBeUndefined()
    expect(changes).toEqual([{ kind: 'make-optional', column: 'id' }])
  })

  it('refuses a change that old files could not be read with, and says what can be done', () => {
    const text = plan({ ...id, type: { kind: 'string' } })
    expect(() => reconcileSchema('shop.t', tableOf([id]), [text], 'keep')).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        hint: expect.stringContaining('--mode replace') as unknown,
      }),
    )
  })

  it('takes such a change as another column when no old row stays', () => {
    const text = plan({ ...id, type: { kind: 'string' } })
    const { schema } = reconcileSchema('shop.t', tableOf([id]), [text], 'drop')
    expect(schema.fields).toMatchObject([{ id: 2, name: 'id', type: { kind: 'string' } }])
  })

  it('matches by name in a table that no load has made', () => {
    const foreign = { ...tableOf([id, label]), properties: {} }
    const { changes } = reconcileSchema(
      't',
      foreign,
      [plan({ ...label, attnum: 7 }), plan({ ...id, attnum: 9 })],
      'keep',
    )
    expect(changes).toEqual([])
  })
})
