import { findFieldById, type Schema } from './schema.ts'
import { extraMembers, isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { parseSourceIds, sourceIdsToJson, sourceMembers } from './source-ids.ts'
import { transformResultType } from './transform-type.ts'
import { parseTransform, transformsEqual, transformToString, type Transform } from './transform.ts'
import {
  isPrimitive,
  type NestedField,
  type PrimitiveType,
  type PrimitiveValue,
  type StructType,
} from './type.ts'

export type PartitionField = {
  /** One id; several for v3 multi-argument transforms; none for a source-less void tombstone. */
  readonly sourceIds: readonly number[]
  readonly fieldId: number
  readonly name: string
  readonly transform: Transform
  /** JSON members this version does not know, kept so that they survive a rewrite. */
  readonly extra?: JsonObject
}
export type PartitionSpec = {
  readonly specId: number
  readonly fields: readonly PartitionField[]
  readonly extra?: JsonObject
}

/** Transformed values in the order of the spec's fields. */
export type Partition = readonly (PrimitiveValue | null)[]

/** Partition field ids start here (spec "Partition Evolution"). */
export const firstPartitionFieldId = 1000

export const unpartitionedSpec: PartitionSpec = { specId: 0, fields: [] }

const specMembers: ReadonlySet<string> = new Set(['spec-id', 'fields'])
const fieldMembers: ReadonlySet<string> = new Set([...sourceMembers, 'field-id', 'name', 'transform'])

/**
 * Partition spec from its JSON form: an object, or the bare array of fields of v1 metadata and of manifest headers.
 * v1 fields without `field-id` are numbered from 1000 in order.
 * @param specId  id for the bare array, which has none of its own
 */
export function parsePartitionSpec(json: JsonValue, specId = 0): PartitionSpec {
  if (Array.isArray(json))
    return { specId, fields: readArray(json, 'partition spec').map(parsePartitionField) }
  const object = readObject(json, 'partition spec')
  return {
    specId: isPresent(object['spec-id']) ? readInteger(object, 'spec-id', 'partition spec') : specId,
    fields: readArray(object['fields'], 'partition spec fields').map(parsePartitionField),
    ...extraMembers(object, specMembers),
  }
}

function parsePartitionField(json: JsonValue, position: number): PartitionField {
  const object = readObject(json, 'partition field')
  const name = readString(object, 'name', 'partition field')
  const where = `partition field "${name}"`
  return {
    sourceIds: parseSourceIds(object, where),
    fieldId: isPresent(object['field-id'])
      ? readInteger(object, 'field-id', where)
      : firstPartitionFieldId + position,
    name,
    transform: parseTransform(readString(object, 'transform', where)),
    ...extraMembers(object, fieldMembers),
  }
}

/** Inverse of `parsePartitionSpec`. A manifest's `partition-spec` header is the `fields` member alone. */
export function partitionSpecToJson(spec: PartitionSpec): JsonObject {
  return {
    'spec-id': spec.specId,
    fields: spec.fields.map((field) => ({
      ...sourceIdsToJson(field.sourceIds),
      'field-id': field.fieldId,
      name: field.name,
      transform: transformToString(field.transform),
      ...field.extra,
    })),
    ...spec.extra,
  }
}

/** The struct of a spec's partition values. A field whose source column is gone has type `unknown`, all null. */
export function partitionType(spec: PartitionSpec, schema: Schema): StructType {
  return {
    kind: 'struct',
    fields: spec.fields.map((field): NestedField => ({
      id: field.fieldId,
      name: field.name,
      type: partitionFieldType(field, schema),
      required: false,
    })),
  }
}

/** Result type of one partition field. */
export function partitionFieldType(field: PartitionField, schema: Schema): PrimitiveType {
  const source = partitionSourceType(field, schema)
  return source === undefined ? { kind: 'unknown' } : transformResultType(field.transform, source)
}

/** Type of the column that a field is made from; `undefined` when it has none, several, or the column is gone. */
export function partitionSourceType(field: PartitionField, schema: Schema): PrimitiveType | undefined {
  const [sourceId] = field.sourceIds
  if (sourceId === undefined || field.sourceIds.length > 1) return undefined
  const type = findFieldById(schema, sourceId)?.type
  return type !== undefined && isPrimitive(type) ? type : undefined
}

/** Same sources, names and transforms in the same order, whatever the ids: files of one are laid out like the other's. */
export function partitionSpecsCompatible(a: PartitionSpec, b: PartitionSpec): boolean {
  if (a.fields.length !== b.fields.length) return false
  return a.fields.every((field, at) => {
    const other = b.fields[at]
    return (
      other !== undefined &&
      field.name === other.name &&
      transformsEqual(field.transform, other.transform) &&
      String(field.sourceIds) === String(other.sourceIds)
    )
  })
}
