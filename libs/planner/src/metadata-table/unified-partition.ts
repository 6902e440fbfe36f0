import { findFieldById, partitionFieldType, singleValueToJson } from '@floe/iceberg'
import type {
  DataFile,
  JsonObject,
  JsonValue,
  PartitionField,
  PartitionSpec,
  PrimitiveType,
  PrimitiveValue,
  Schema,
  StructType,
  TableMetadata,
} from '@floe/iceberg'

/** One struct that holds the partition values of every spec of a table, by partition field id, as in Java. */
export type UnifiedPartition = {
  /** `undefined` when no spec ever had a field. */
  readonly type: StructType | undefined
  toJson(file: Pick<DataFile, 'specId' | 'partition'>): JsonObject
}

type UnifiedField = { readonly name: string; readonly type: PrimitiveType }

export function unifiedPartition(metadata: TableMetadata): UnifiedPartition {
  const fields = unifiedFields(metadata)
  const specs = new Map(metadata.partitionSpecs.map((spec) => [spec.specId, spec]))
  const toJson: UnifiedPartition['toJson'] = ({ specId, partition }) => {
    const json: Record<string, JsonValue> = {}
    for (const [at, { fieldId }] of (specs.get(specId)?.fields ?? []).entries()) {
      const field = fields.get(fieldId)
      if (field !== undefined) json[field.name] = valueToJson(field.type, partition[at] ?? null)
    }
    return json
  }
  if (fields.size === 0) return { type: undefined, toJson }
  const members = [...fields].map(([id, { name, type }]) => ({ id, name, type, required: false }))
  return { type: { kind: 'struct', fields: members }, toJson }
}

/** Fields of newer specs name the member; those that a v1 table left as `void` show in the spec that had them. */
function unifiedFields(metadata: TableMetadata): ReadonlyMap<number, UnifiedField> {
  const fields = new Map<number, UnifiedField>()
  const taken = new Set<string>()
  for (const { field } of partitionFieldsNewestFirst(metadata)) {
    if (fields.has(field.fieldId)) continue
    const name = taken.has(field.name.toLowerCase()) ? `${field.name}_${field.fieldId}` : field.name
    taken.add(name.toLowerCase())
    fields.set(field.fieldId, { name, type: partitionFieldType(field, schemaWith(field, metadata)) })
  }
  return new Map([...fields].sort(([a], [b]) => a - b))
}

function partitionFieldsNewestFirst(
  metadata: TableMetadata,
): readonly { readonly spec: PartitionSpec; readonly field: PartitionField }[] {
  const specs = [...metadata.partitionSpecs].sort((a, b) => b.specId - a.specId)
  return specs.flatMap((spec) =>
    spec.fields.filter(({ transform }) => transform.kind !== 'void').map((field) => ({ spec, field })),
  )
}

/** The newest schema that has a field's source column: the current one may have dropped it. */
function schemaWith({ sourceIds }: PartitionField, { schemas, currentSchemaId }: TableMetadata): Schema {
  const newestFirst = [...schemas].sort((a, b) => rank(b) - rank(a))
  const [newest = { schemaId: 0, fields: [] }] = newestFirst
  return newestFirst.find((schema) => findFieldById(schema, sourceIds[0] ?? -1) !== undefined) ?? newest

  function rank({ schemaId }: Schema): number {
    return schemaId === currentSchemaId ? Number.POSITIVE_INFINITY : schemaId
  }
}

/** A value as JSON that SQL casts to the column's type: bytes in DuckDB's escapes. */
function valueToJson(type: PrimitiveType, value: PrimitiveValue | null): JsonValue {
  if (value === null || type.kind === 'unknown') return null
  return value instanceof Uint8Array ? escapedBytes(value) : singleValueToJson(type, value)
}

export function escapedBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/../g, (byte) => `\\x${byte.toUpperCase()}`)
}
