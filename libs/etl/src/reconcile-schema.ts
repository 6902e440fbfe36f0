import { assignFreshIds, canPromote, FloeError, isPrimitive, typesEqual, typeToString } from '@floe/iceberg'
import type { NestedField, Schema, TableMetadata, Type } from '@floe/iceberg'
import type { ColumnPlan } from '@floe/postgres'
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
  const matched = new Map<number, ColumnPlan>()
  const fileFields: NestedField[] = []
  const added: NestedField[] = []
  const fieldIdByAttnum = new Map<number, number>()
  for (const plan of columns) {
    const field = matchField(current, plan, mapping?.fieldIdByAttnum, gone)
    const target = field ?? freshField(plan, () => ++lastColumnId)
    if (field === undefined) added.push(target)
    else matched.set(field.id, plan)
    fieldIdByAttnum.set(plan.attnum, target.id)
    fileFields.push(fileField(plan, target))
  }
  const names = new Set(columns.map(({ name }) => name))
  const kept = current.fields.flatMap((field) => {
    const plan = matched.get(field.id)
    return plan === undefined
      ? keepUnmatched(field, gone, names, changes)
      : [evolveField(table, field, plan, changes)]
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
  const fits = promotes(plan.type, field.type) || promotes(field.type, plan.type)
  return fits || gone === 'keep' ? field : undefined
}

/** True when values of `from` can be read as `to`; nested ids do not count. */
function promotes(from: Type, to: Type): boolean {
  if (from.kind === 'list' && to.kind === 'list') return promotes(from.element, to.element)
  if (!isPrimitive(from) || !isPrimitive(to)) return typesEqual(from, to)
  // The promotions of format version 2 alone: every reader knows them.
  return typesEqual(from, to) || canPromote(from, to, 2)
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

function fileField(plan: ColumnPlan, target: NestedField): NestedField {
  return {
    ...fieldOf(plan),
    id: target.id,
    type: withIdsOf(plan.type, target.type),
    required: plan.required && target.required,
  }
}

/** `type` as the source has it, with the nested field ids of the table's type. */
function withIdsOf(type: Type, target: Type): Type {
  if (type.kind === 'list' && target.kind === 'list') {
    return { ...type, elementId: target.elementId, element: withIdsOf(type.element, target.element) }
  }
  return type
}

function evolveField(
  table: string,
  field: NestedField,
  plan: ColumnPlan,
  changes: SchemaChange[],
): NestedField {
  if (field.name !== plan.name) changes.push({ kind: 'rename', column: field.name, to: plan.name })
  const type = evolveType(table, field, plan, changes)
  const required = field.required && plan.required
  if (field.required && !required) changes.push({ kind: 'make-optional', column: plan.name })
  const { doc, ...rest } = field
  const comment = plan.doc ?? doc
  return { ...rest, name: plan.name, type, required, ...(comment === undefined ? {} : { doc: comment }) }
}

function evolveType(table: string, field: NestedField, plan: ColumnPlan, changes: SchemaChange[]): Type {
  const source = withIdsOf(plan.type, field.type)
  // A source type that promotes to the table's (int in a long column) needs no change: readers widen per file.
  if (promotes(source, field.type)) return field.type
  if (promotes(field.type, source)) {
    changes.push({
      kind: 'widen',
      column: plan.name,
      from: typeToString(field.type),
      to: typeToString(source),
    })
    return source
  }
  const from = typeToString(field.type)
  const to = typeToString(source)
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
