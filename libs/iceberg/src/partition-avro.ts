import { mappedType, recordType, skippedType, type RecordFieldType } from './avro-combined.ts'
import { booleanType, doubleType, floatType } from './avro-scalar.ts'
import type { AvroRecord, AvroSchema } from './avro-schema.ts'
import { builtin, type TapType } from './avro-tap.ts'
import { avroName } from './avro-type.ts'
import { avroAny, avroBytes, avroLong, avroNumber, avroOptional, avroString } from './avro-value.ts'
import { FloeError } from './error.ts'
import type { ManifestHeader } from './manifest.ts'
import { partitionFieldType, type Partition, type PartitionField } from './partition-spec.ts'
import { decodeTwosComplement, encodeTwosComplement } from './twos-complement.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'
import { uuidFromBytes, uuidToBytes } from './uuid.ts'

type PartitionRecord = Readonly<Record<string, PrimitiveValue | null | undefined>>

/**
 * The partition struct of a data file: values in the order of the spec's fields, found by id; null for fields that the
 * writer did not have.
 */
export function partitionAvro(
  schema: AvroSchema,
  { spec, schema: table }: ManifestHeader,
): TapType<Partition> {
  if (schema.kind !== 'record')
    throw new FloeError('corrupt-data', 'not a manifest: partition is not a record')
  const names = spec.fields.map((_, at) => `field${at}`)
  const fields = schema.fields.map((field, at): RecordFieldType => {
    const position = spec.fields.findIndex((candidate) => isField(candidate, field))
    const target = spec.fields[position]
    if (target === undefined) return [`other${at}`, skippedType(avroAny(field.schema))]
    const type = partitionFieldType(target, table)
    return [`field${position}`, avroOptional(field.schema, (inner) => partitionValueAvro(inner, type))]
  })
  return mappedType(
    recordType<PartitionRecord>(fields),
    (record) => names.map((name) => record[name] ?? null),
    (values) => Object.fromEntries(names.map((name, at) => [name, values[at]])),
  )
}

function isField(candidate: PartitionField, { fieldId, name }: AvroRecord['fields'][number]): boolean {
  if (fieldId !== undefined) return candidate.fieldId === fieldId
  return candidate.name === name || avroName(candidate.name) === name
}

/**
 * Type of one partition value. The Iceberg type says what the value becomes, the Avro schema how it is stored: a day
 * is an int for some writers and a date for others, and a column may have been widened since.
 */
function partitionValueAvro(schema: AvroSchema, type: PrimitiveType): TapType<PrimitiveValue> {
  switch (schema.kind) {
    case 'boolean':
      return builtin(booleanType)
    case 'float':
      return builtin(floatType)
    case 'double':
      return builtin(doubleType)
    case 'int':
    case 'long':
      return builtin(integerAvro(schema, type))
    case 'string':
    case 'enum':
      return builtin(avroString(schema))
    case 'fixed':
    case 'bytes':
      return bytesAvro(schema, type)
    default:
      throw new FloeError('corrupt-data', `a partition value cannot be an Avro ${schema.kind}`)
  }
}

function integerAvro(schema: AvroSchema, type: PrimitiveType): TapType<bigint> | TapType<number> {
  switch (type.kind) {
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return avroLong(schema)
    case 'int':
    case 'date':
      return avroNumber(schema)
    default:
      // The source column is gone: what Avro says is all there is.
      return schema.kind === 'int' ? avroNumber(schema) : avroLong(schema)
  }
}

function bytesAvro(schema: AvroSchema, type: PrimitiveType): TapType<PrimitiveValue> {
  const bytes = avroBytes(schema)
  const logicalType = 'logicalType' in schema ? schema.logicalType : undefined
  if (type.kind === 'decimal' || logicalType === 'decimal') {
    const width = schema.kind === 'fixed' ? schema.size : 0
    return mappedType<Uint8Array, PrimitiveValue>(bytes, decodeTwosComplement, (value) =>
      signExtend(encodeTwosComplement(value as bigint), width),
    )
  }
  if (type.kind === 'uuid' || logicalType === 'uuid') {
    return mappedType<Uint8Array, PrimitiveValue>(bytes, uuidFromBytes, (value) =>
      uuidToBytes(value as string),
    )
  }
  return builtin(bytes)
}

/** @param width  bytes that the number takes, 0 for any */
function signExtend(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 0 || bytes.length === width) return bytes
  if (bytes.length > width)
    throw new FloeError('invalid-input', 'a partition value has more digits than its decimal type')
  const extended = new Uint8Array(width).fill((bytes[0] ?? 0) > 0x7f ? 0xff : 0)
  extended.set(bytes, width - bytes.length)
  return extended
}
