import { FloeError } from './error.ts'
import { partitionSourceType, type PartitionField, type PartitionSpec } from './partition-spec.ts'
import { findFieldById, type Schema } from './schema.ts'
import type { SortOrder } from './sort-order.ts'
import { canTransform } from './transform-type.ts'
import { transformToString, type Transform } from './transform.ts'
import { isPrimitive, minimumFormatVersion, type PrimitiveType } from './type.ts'

/** Throws `invalid-input` when the schema needs a later format version, or an identifier field is missing. */
export function checkSchema(schema: Schema, formatVersion: 1 | 2 | 3): void {
  const needed = minimumFormatVersion({ kind: 'struct', fields: schema.fields })
  if (needed > formatVersion) {
    throw new FloeError(
      'invalid-input',
      `the schema has types or defaults that need format version ${needed}, the table has ${formatVersion}`,
      {
        hint: 'upgrade the table, or create it with the property format-version=3',
      },
    )
  }
  for (const id of schema.identifierFieldIds ?? []) {
    if (findFieldById(schema, id) === undefined) {
      throw new FloeError('invalid-input', `identifier field ${id} is not in the schema`)
    }
  }
}

/** Throws `invalid-input` when a partition field's column is gone or of a type that its transform cannot take. */
export function checkSpec(spec: PartitionSpec, schema: Schema): void {
  const names = new Set<string>()
  const ids = new Set<number>()
  for (const field of spec.fields) {
    if (names.has(field.name))
      throw new FloeError('invalid-input', `partition field "${field.name}" occurs twice`)
    if (ids.has(field.fieldId))
      throw new FloeError('invalid-input', `two partition fields share the id ${field.fieldId}`)
    names.add(field.name)
    ids.add(field.fieldId)
    checkPartitionField(field, schema)
  }
}

function checkPartitionField(field: PartitionField, schema: Schema): void {
  // A dropped field stays as void, in v1 with a source that may be dropped later.
  if (field.transform.kind === 'void') return
  const where = `partition field "${field.name}"`
  const missing = field.sourceIds.find((id) => findFieldById(schema, id) === undefined)
  if (missing !== undefined)
    throw new FloeError('invalid-input', `${where}: there is no column with id ${missing}`)
  checkTransform(field.transform, partitionSourceType(field, schema), where)
}

function checkTransform(transform: Transform, type: PrimitiveType | undefined, where: string): void {
  // What is not known here is kept for those who know it (spec "Partition Transforms").
  if (transform.kind === 'unknown') return
  if (type !== undefined && canTransform(transform, type)) return
  throw new FloeError(
    'invalid-input',
    `${where}: ${transformToString(transform)} cannot take a ${type?.kind ?? 'nested'} column`,
  )
}

/** Throws `invalid-input` when a sort field's column is gone or of a type that its transform cannot take. */
export function checkSortOrder(order: SortOrder, schema: Schema): void {
  for (const { sourceIds, transform } of order.fields) {
    if (transform.kind === 'void') continue
    const fields = sourceIds.map((id) => findFieldById(schema, id))
    const at = fields.indexOf(undefined)
    if (at >= 0)
      throw new FloeError(
        'invalid-input',
        `sort order ${order.orderId}: there is no column with id ${sourceIds[at]}`,
      )
    const type = fields.length === 1 ? fields[0]?.type : undefined
    checkTransform(
      transform,
      type !== undefined && isPrimitive(type) ? type : undefined,
      `sort order ${order.orderId}`,
    )
  }
}
