import { assignFreshIds, FloeError, typesEqual, typeToString } from '@floe/iceberg'
import type { NestedField, Schema, TableMetadata } from '@floe/iceberg'
import type { ColumnPlan } from '@floe/postgres'
import { mergeTypes } from './merge-types.ts'
import type { MergedType } from './merge-types.ts'
import { parseSourceMapping } from './source-mapping.ts'

export type SchemaChange =
  | { readonly kind: 'add' | 'drop' | 'keep-without-source' | 'make-optional'; readonly column: string }
  | { readonly kind: 'rename'; readonly column: string; readonly to: string }
  | { readonly kind: 'widen'; readonly column: string; readonly from: string; readonly to: string }

export type ReconciledSchema = {
  /** The table's schema after the load; its id is the table's to assign. */
  readonly schema: Schema
  /** What the data files hold: the source's columns in the source's order, with the table's field ids. */
  readonly fileSchema: Schema
  readonly fieldIdByAttnum: ReadonlyMap<number, number>
  readonly changes: readonly SchemaChange[]
  readonly lastColumnId: number
}

/** What becomes of a table column whose source column is gone: `append` keeps it for old rows, `replace` drops it. */
export type GoneColumns = 'keep' | 'drop'

/** The schema of a table that a load creates: ids in the source's order, the primary key as identifier fields. */
export function createSchema(
  columns: readonly ColumnPlan[],
  primaryKey: readonly string[],
): ReconciledSchema {
  let id = 0
  const fields = columns.map((plan, index) => ({ ...fieldOf(plan), id: index + 1 }))
  const { schema } = assignFreshIds({ schemaId: 0, fields }, () => ++id)
  const identifiers = schema.fields.filter((field) => primaryKey.includes(field.name) && field.required)
  const complete = identifiers.length === primaryKey.length && identifiers.every(canIdentify)
  const identified =
    complete && identifiers.length > 0
      ? { ...schema, identifierFieldIds: identifiers.map((field) => field.id) }
      : schema
  return {
    schema: identified,
    fileSchema: identified,
    fieldIdByAttnum: new Map(columns.map(({ attnum }, index) => [attnum, schema.fields[index]?.id ?? 0])),
    changes: [],
    lastColumnId: id,
  }
}

/**
 * Fits the source's columns to an existing table, without rewriting a file: columns are matched by attnum (by name in
 * a table that no load has made), new ones added as optional, renamed, widened, or made optional.
 * @throws `unsupported` for a change that old files could not be read with, with the choices spelled out
 */
export function reconcileSchema(
  table: string,
  metadata: TableMetadata,
  columns: readonly ColumnPlan[],
  gone: GoneColumns,
): ReconciledSchema {
  const current = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)
  if (current === undefined) throw new FloeError('corrupt-data', `${table} has no current schema`)
  const mapping = parseSourceMapping(metadata.properties)
  let lastColumnId = metadata.lastColumnId
  const changes: SchemaChange[] = []
  const matched = new Map<number, MatchedColumn>()
  const fileFields: NestedField[] = []
  const added: NestedField[] = []
  const fieldIdByAttnum = new Map<number, number>()
  for (const plan of columns) {
    const field = matchField(current, plan, mapping?.fieldIdByAttnum, gone)
    const nextId = (): number => ++lastColumnId
    const target = field ?? freshField(plan, nextId)
    const type = mergeTypes(target.type, plan.type, nextId) ?? misfit(table, target, plan)
    if (field === undefined) added.push(target)
    else matched.set(field.id, { plan, type })
    fieldIdByAttnum.set(plan.attnum, target.id)
    fileFields.push(fileField(plan, target, type))
  }
  const names = new Set(columns.map(({ name }) => name))
  const kept = current.fields.flatMap((field) => {
    const match = matched.get(field.id)
    return match === undefined
      ? keepUnmatched(field, gone, names, changes)
      : [evolveField(field, match, changes)]
  })
  const fields = [...kept, ...added]
  return {
    schema: withIdentifiers({ schemaId: current.schemaId, fields }, current.identifierFieldIds),
    fileSchema: { schemaId: current.schemaId, fields: fileFields },
    fieldIdByAttnum,
    changes: [...changes, ...added.map(({ name }) => ({ kind: 'add', column: name }) as const)],
    lastColumnId,
  }
}

type MatchedColumn = { readonly plan: ColumnPlan; readonly type: MergedType }

function matchField(
  schema: Schema,
  plan: ColumnPlan,
  fieldIdByAttnum: ReadonlyMap<number, number> | undefined,
  gone: GoneColumns,
): NestedField | undefined {
  const fieldId = fieldIdByAttnum?.get(plan.attnum)
  const field = schema.fields.find(({ id, name }) =>
    fieldIdByAttnum === undefined ? name === plan.name : id === fieldId,
  )
  if (field === undefined) return undefined
  // When no old row stays, a type that cannot evolve simply becomes another column.
  const fits = mergeTypes(field.type, plan.type, () => 0) !== undefined
  return fits || gone === 'keep' ? field : undefined
}

function fieldOf({ name, type, required, doc }: ColumnPlan): Omit<NestedField, 'id'> {
  return { name, type, required, ...(doc === undefined ? {} : { doc }) }
}

// Rows that were written before the column existed have no value for it, so it cannot be required.
function freshField(plan: ColumnPlan, nextId: () => number): NestedField {
  const { schema } = assignFreshIds(
    { schemaId: 0, fields: [{ ...fieldOf(plan), required: false, id: 1 }] },
    nextId,
  )
  const field = schema.fields[0]
  if (field === undefined) throw new FloeError('internal', `column ${plan.name} got no field`)
  return field
}

function fileField(plan: ColumnPlan, target: NestedField, { file }: MergedType): NestedField {
  return { ...fieldOf(plan), id: target.id, type: file, required: plan.required && target.required }
}

function evolveField(
  field: NestedField,
  { plan, type: { table: type } }: MatchedColumn,
  changes: SchemaChange[],
): NestedField {
  if (field.name !== plan.name) changes.push({ kind: 'rename', column: field.name, to: plan.name })
  if (!typesEqual(field.type, type)) {
    const [from, to] = [typeToString(field.type), typeToString(type)]
    changes.push({ kind: 'widen', column: plan.name, from, to })
  }
  const required = field.required && plan.required
  if (field.required && !required) changes.push({ kind: 'make-optional', column: plan.name })
  const { doc, ...rest } = field
  const comment = plan.doc ?? doc
  return { ...rest, name: plan.name, type, required, ...(comment === undefined ? {} : { doc: comment }) }
}

function misfit(table: string, field: NestedField, plan: ColumnPlan): never {
  const [from, to] = [typeToString(field.type), typeToString(plan.type)]
  throw new FloeError(
    'unsupported',
    `column ${plan.name} of ${table} is ${from} in Iceberg and ${to} in the source`,
    {
      hint: `cast the column in a view that is loaded instead, rename it so that it becomes a new column, or load with --mode replace`,
    },
  )
}

function keepUnmatched(
  field: NestedField,
  gone: GoneColumns,
  sourceNames: ReadonlySet<string>,
  changes: SchemaChange[],
): readonly NestedField[] {
  // A column that was dropped and made again in the source has a new attnum: the old field gives up its name.
  if (gone === 'drop' || sourceNames.has(field.name)) {
    changes.push({ kind: 'drop', column: field.name })
    return []
  }
  if (field.required) changes.push({ kind: 'keep-without-source', column: field.name })
  return [{ ...field, required: false }]
}

function withIdentifiers(schema: Schema, identifierFieldIds: readonly number[] | undefined): Schema {
  const kept = (identifierFieldIds ?? []).filter((id) =>
    schema.fields.some((field) => field.id === id && field.required),
  )
  return kept.length > 0 && kept.length === identifierFieldIds?.length
    ? { ...schema, identifierFieldIds: kept }
    : schema
}

// Spec "Identifier Field IDs": required, primitive, and neither float nor double.
function canIdentify({ type }: NestedField): boolean {
  return !['float', 'double', 'struct', 'list', 'map'].includes(type.kind)
}
