import {
  and,
  bindExpression,
  currentSchema,
  expressionToJson,
  findFieldById,
  findFieldByName,
  FloeError,
  isPrimitive,
  mapPredicates,
  parseExpression,
  singleValueToJson,
  typeToString,
} from '@floe/iceberg'
import type {
  Expression,
  JsonObject,
  JsonValue,
  NestedField,
  Predicate,
  PrimitiveValue,
  Schema,
  TableMetadata,
  Type,
} from '@floe/iceberg'
import type { Grantee } from './access-store.ts'
import type { TableIdentifier } from './catalog.ts'

const timeTypes: ReadonlySet<Type['kind']> = new Set([
  'date',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
] as const)
const hashedTypes: ReadonlySet<Type['kind']> = new Set(['string', 'int', 'long', 'binary'] as const)
/** Types without a fixed value to mask to; their columns can be replaced with null. */
const withoutFixedValue: ReadonlySet<Type['kind']> = new Set(['struct', 'variant', 'unknown'] as const)

/** What stands in the place of a column's values (REST spec `Action`). */
export const maskActions = [
  'mask-alphanum',
  'mask-to-fixed-value',
  'replace-with-null',
  'show-first-4',
  'show-last-4',
  'truncate-to-year',
  'truncate-to-month',
  'sha-256-global',
  'sha-256-query-local',
] as const
export type MaskAction = (typeof maskActions)[number]

/** Spec "Applicable to". */
function appliesTo(action: MaskAction, { type, required }: NestedField): boolean {
  switch (action) {
    case 'mask-alphanum':
    case 'show-first-4':
    case 'show-last-4':
      return type.kind === 'string'
    case 'truncate-to-year':
    case 'truncate-to-month':
      return timeTypes.has(type.kind)
    case 'sha-256-global':
    case 'sha-256-query-local':
      return hashedTypes.has(type.kind)
    case 'mask-to-fixed-value':
      return !withoutFixedValue.has(type.kind)
    case 'replace-with-null':
      return !required
  }
}

export type ColumnMask = { readonly fieldId: number; readonly action: MaskAction }

/**
 * What one principal may see of a table (REST spec `ReadRestrictions`): the rows for which the filter is true of the
 * unmasked values, and of these rows the masked columns. By field ids, so that a rename lifts nothing.
 */
export type ReadRestrictions = {
  /** Bound to field ids. */
  readonly rowFilter?: Expression
  /** At most one a column. */
  readonly masks: readonly ColumnMask[]
}

/**
 * Restrictions of one table for one principal or role, as they are kept: the filter names columns by field id, and its
 * literals are in any form that the column's type takes.
 */
export type ReadRule = {
  readonly to: Grantee
  readonly table: TableIdentifier
  readonly rowFilter?: Expression
  readonly masks: readonly ColumnMask[]
}

/**
 * A filter as it is kept, from one that names columns.
 * @throws FloeError invalid-input for unknown columns, fields inside of columns, and literals of a wrong type
 */
export function keepRowFilter(filter: Expression, schema: Schema): Expression {
  bindExpression(filter, schema)
  return mapPredicates(filter, (predicate) => {
    const { reference } = predicate
    const field =
      reference.kind === 'id'
        ? findFieldById(schema, reference.fieldId)
        : findFieldByName(schema, reference.name)
    if (field === undefined || !schema.fields.includes(field))
      throw new FloeError('invalid-input', 'a row filter names a field inside of a column', {
        hint: 'compare columns of the table itself',
      })
    return { ...predicate, reference: { kind: 'id', fieldId: field.id } }
  })
}

/** @throws FloeError invalid-input when the column is none of the table's own, or the action is not for its type */
export function checkMask({ fieldId, action }: ColumnMask, { fields }: Schema): void {
  const field = fields.find(({ id }) => id === fieldId)
  if (field === undefined)
    throw new FloeError(
      'invalid-input',
      `a mask names the field ${fieldId}, which is no column of the table`,
      {
        hint: 'only columns can be masked, not fields inside of them: mask the whole column',
      },
    )
  if (appliesTo(action, field)) return
  const shown = `${field.required ? 'required ' : ''}column "${field.name}" of type ${typeToString(field.type)}`
  const fitting = maskActions.filter((candidate) => appliesTo(candidate, field))
  throw new FloeError('invalid-input', `${action} is not for the ${shown}`, {
    hint: fitting.length === 0 ? 'no mask is' : `use ${fitting.join(', ')}`,
  })
}

/**
 * All rules that concern one principal as one: a row must pass every filter. Of two masks of a column neither is the
 * milder one, so that nothing of the column is shown.
 * @throws FloeError unsupported when a filter does not fit the table any more
 */
export function combineRules(
  rules: readonly ReadRule[],
  metadata: TableMetadata,
): ReadRestrictions | undefined {
  if (rules.length === 0) return undefined
  const filters = rules.flatMap(({ rowFilter }) => (rowFilter === undefined ? [] : [rowFilter]))
  const byField = Map.groupBy(
    rules.flatMap(({ masks }) => masks),
    ({ fieldId }) => fieldId,
  )
  const masks = [...byField].map(([fieldId, [first, ...others]]): ColumnMask => {
    const agreed = others.every(({ action }) => action === first?.action)
    if (first !== undefined && agreed) return first
    const field = currentSchema(metadata).fields.find(({ id }) => id === fieldId)
    return { fieldId, action: field?.required === true ? 'mask-to-fixed-value' : 'replace-with-null' }
  })
  return { masks, ...(filters.length === 0 ? {} : { rowFilter: bindKept(and(...filters), metadata) }) }
}

function bindKept(filter: Expression, metadata: TableMetadata): Expression {
  try {
    return bindExpression(filter, schemaOf(filter, metadata))
  } catch (error) {
    throw new FloeError('unsupported', `a row filter of the table at ${metadata.location} does not fit it`, {
      hint: 'whoever manages the table should set another row filter',
      cause: error,
    })
  }
}

/** The current schema, with those columns of the filter that it does not have any more. */
function schemaOf(filter: Expression, metadata: TableMetadata): Schema {
  const current = currentSchema(metadata)
  const newestFirst = [...metadata.schemas].sort((a, b) => b.schemaId - a.schemaId)
  const lost = [...new Set(fieldsOf(filter))].flatMap((fieldId) => {
    if (current.fields.some(({ id }) => id === fieldId)) return []
    const field = newestFirst.flatMap(({ fields }) => fields).find(({ id }) => id === fieldId)
    return field === undefined ? [] : [field]
  })
  return lost.length === 0 ? current : { ...current, fields: [...current.fields, ...lost] }
}

/** Spec `ReadRestrictions`; columns of the filter by name where the table has them, else by id. */
export function readRestrictionsToJson(
  { rowFilter, masks }: ReadRestrictions,
  metadata: TableMetadata,
): JsonObject {
  return {
    ...(masks.length === 0
      ? {}
      : {
          'required-column-projections': masks.map(({ fieldId, action }) => ({
            'field-id': fieldId,
            action,
          })),
        }),
    ...(rowFilter === undefined ? {} : { 'required-row-filter': filterToJson(rowFilter, metadata) }),
  }
}

/** Clients of before the expressions spec know names only; the name of a lost column may be another column's by now. */
function filterToJson(rowFilter: Expression, metadata: TableMetadata): JsonValue {
  const current = currentSchema(metadata)
  const schema = schemaOf(rowFilter, metadata)
  if (schema === current) return expressionToJson(rowFilter, { schema })
  return expressionToJson(
    mapPredicates(rowFilter, (predicate) => withJsonLiterals(predicate, schema)),
    { spelling: 'reference' },
  )
}

function withJsonLiterals(predicate: Predicate, { fields }: Schema): Expression {
  const { reference } = predicate
  const type = fields.find(({ id }) => reference.kind === 'id' && id === reference.fieldId)?.type
  if (type === undefined || !isPrimitive(type)) return predicate
  const jsonOf = (value: PrimitiveValue): PrimitiveValue => singleValueToJson(type, value) as PrimitiveValue
  switch (predicate.kind) {
    case 'unary':
      return predicate
    case 'literal':
      return { ...predicate, value: jsonOf(predicate.value) }
    case 'set':
      return { ...predicate, values: predicate.values.map(jsonOf) }
  }
}

/** Field ids that an expression names. */
export function fieldsOf(expression: Expression): readonly number[] {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return []
    case 'and':
    case 'or':
      return [...fieldsOf(expression.left), ...fieldsOf(expression.right)]
    case 'not':
      return fieldsOf(expression.child)
    case 'unary':
    case 'literal':
    case 'set':
      return expression.reference.kind === 'id' ? [expression.reference.fieldId] : []
  }
}

/**
 * Inverse of `readRestrictionsToJson`. A reader that cannot do what is asked must not read (spec), so that nothing
 * unknown is passed over.
 * @throws FloeError unsupported for actions that are not known, invalid-input for what has not the spec's form
 */
export function parseReadRestrictions(json: JsonValue, schema: Schema): ReadRestrictions | undefined {
  const { 'required-column-projections': projections, 'required-row-filter': filter } = objectOf(json)
  const masks = listOf(projections).map((item): ColumnMask => {
    const { 'field-id': fieldId, action } = objectOf(item)
    const known = maskActions.find((candidate) => candidate === action)
    if (typeof fieldId !== 'number') throw malformed('an action has no field-id')
    if (known === undefined) throw unknownAction(fieldId)
    return { fieldId, action: known }
  })
  if (new Set(masks.map(({ fieldId }) => fieldId)).size < masks.length)
    throw malformed('a column has two actions')
  const hasFilter = filter !== undefined && filter !== null
  if (masks.length === 0 && !hasFilter) return undefined
  return { masks, ...(hasFilter ? { rowFilter: bindExpression(parseExpression(filter), schema) } : {}) }
}

function objectOf(json: JsonValue): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject
  throw malformed('not an object')
}

function listOf(json: JsonValue | undefined): readonly JsonValue[] {
  if (json === undefined || json === null) return []
  if (Array.isArray(json)) return json
  throw malformed('required-column-projections is not a list')
}

function malformed(fault: string): FloeError {
  return new FloeError('invalid-input', `the read restrictions of a table are malformed: ${fault}`, {
    hint: 'see ReadRestrictions in the Iceberg REST catalog specification',
  })
}

function unknownAction(fieldId: number): FloeError {
  return new FloeError('unsupported', `the catalog demands an unknown mask for the field ${fieldId}`, {
    hint: `known are ${maskActions.join(', ')}`,
  })
}
