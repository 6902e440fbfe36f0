import type { AvroSchema } from './avro-schema.ts'
import type { AvroSink } from './avro-sink.ts'
import { decimalBytes } from './avro-type.ts'
import { avroBoolean, avroBytes, avroLong, avroNumber, avroString, type AvroReader } from './avro-value.ts'
import { FloeError } from './error.ts'
import { decodeTwosComplement, encodeTwosComplement } from './twos-complement.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'
import { uuidFromBytes, uuidToBytes } from './uuid.ts'

/**
 * Reader of one partition value. The Iceberg type says what the value becomes, the Avro schema how it is stored: a day
 * is an int for some writers and a date for others, and a column may have been widened since.
 */
export function partitionValueReader(schema: AvroSchema, type: PrimitiveType): AvroReader<PrimitiveValue> {
  switch (schema.kind) {
    case 'boolean':
      return avroBoolean(schema)
    case 'float':
      return (cursor) => cursor.readFloat()
    case 'double':
      return (cursor) => cursor.readDouble()
    case 'int':
    case 'long':
      return integerReader(schema, type)
    case 'string':
    case 'enum':
      return avroString(schema)
    case 'fixed':
    case 'bytes':
      return bytesReader(schema, type)
    default:
      throw new FloeError('corrupt-data', `a partition value cannot be an Avro ${schema.kind}`)
  }
}

function integerReader(schema: AvroSchema, type: PrimitiveType): AvroReader<PrimitiveValue> {
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

function bytesReader(schema: AvroSchema, type: PrimitiveType): AvroReader<PrimitiveValue> {
  const read = avroBytes(schema)
  const logicalType = 'logicalType' in schema ? schema.logicalType : undefined
  if (type.kind === 'decimal' || logicalType === 'decimal')
    return (cursor) => decodeTwosComplement(read(cursor))
  if (type.kind === 'uuid' || logicalType === 'uuid') return (cursor) => uuidFromBytes(read(cursor))
  return read
}

/** Appends one partition value that is not null, in the form of `structToAvro`. */
export function writePartitionValue(sink: AvroSink, type: PrimitiveType, value: PrimitiveValue): void {
  switch (type.kind) {
    case 'boolean':
      return sink.writeBoolean(value as boolean)
    case 'float':
      return sink.writeFloat(value as number)
    case 'double':
      return sink.writeDouble(value as number)
    case 'string':
      return sink.writeString(value as string)
    case 'uuid':
      return sink.writeFixed(uuidToBytes(value as string))
    case 'decimal':
      return sink.writeFixed(signExtend(encodeTwosComplement(value as bigint), decimalBytes(type.precision)))
    case 'fixed':
      return sink.writeFixed(sized(value as Uint8Array, type.length))
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return sink.writeBytes(value as Uint8Array)
    case 'unknown':
      throw new FloeError('invalid-input', 'a partition field of type unknown holds only nulls')
    default:
      return sink.writeLong(value as number | bigint)
  }
}

function signExtend(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length > width)
    throw new FloeError('invalid-input', 'a partition value has more digits than its decimal type')
  const extended = new Uint8Array(width).fill((bytes[0] ?? 0) > 0x7f ? 0xff : 0)
  extended.set(bytes, width - bytes.length)
  return extended
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes
  throw new FloeError('invalid-input', `a partition value of type fixed[${length}] has ${bytes.length} bytes`)
}
