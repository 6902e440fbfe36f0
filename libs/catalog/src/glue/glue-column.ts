import type { Column } from '@aws-sdk/client-glue'
import { currentSchema, typeToString } from '@floe/iceberg'
import type { NestedField, PrimitiveType, TableMetadata, Type } from '@floe/iceberg'

/** Characters of a comment that Glue takes. */
const commentCharactersMax = 255

/**
 * The columns as Glue, Athena and Spark show them: those of the current schema, then those that only older schemas
 * have. Names, parameters and order are those of Java's Glue catalog; engines read the metadata file instead.
 */
export function glueColumns(metadata: TableMetadata): Column[] {
  const current = currentSchema(metadata)
  const older = metadata.schemas.filter(({ schemaId }) => schemaId !== current.schemaId)
  const columns = new Map<string, Column>()
  for (const field of current.fields) columns.set(field.name, glueColumn(field, true))
  for (const field of older.flatMap(({ fields }) => fields)) {
    if (!columns.has(field.name)) columns.set(field.name, glueColumn(field, false))
  }
  return [...columns.values()]
}

function glueColumn({ id, name, type, required, doc }: NestedField, isCurrent: boolean): Column {
  return {
    Name: name,
    Type: glueType(type),
    Parameters: {
      'iceberg.field.id': String(id),
      'iceberg.field.optional': String(!required),
      'iceberg.field.current': String(isCurrent),
    },
    ...(doc === undefined || doc === '' ? {} : { Comment: doc.slice(0, commentCharactersMax) }),
  }
}

/** The name of a type in Hive's words. */
function glueType(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${glueType(field.type)}`).join(',')}>`
    case 'list':
      return `array<${glueType(type.element)}>`
    case 'map':
      return `map<${glueType(type.key)},${glueType(type.value)}>`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    default:
      return hiveNames[type.kind] ?? typeToString(type)
  }
}

const hiveNames: Partial<Record<PrimitiveType['kind'], string>> = {
  long: 'bigint',
  time: 'string',
  uuid: 'string',
  timestamptz: 'timestamp',
  timestamp_ns: 'timestamp',
  timestamptz_ns: 'timestamp',
  fixed: 'binary',
}
