import type { AvroSchema } from './avro-schema.ts'
import { columnMapType, listType, mappedType, recordType, unionType } from './avro-combined.ts'
import {
  booleanType,
  bytesType,
  countType,
  doubleType,
  fixedType,
  floatType,
  longType,
  nullType,
  textType,
} from './avro-scalar.ts'
import { corrupt, type TapType } from './avro-tap.ts'
import { FloeError } from './error.ts'

/** The type of a value that is stored like this and not looked at. */
export function avroAny(schema: AvroSchema): TapType<unknown> {
  switch (schema.kind) {
    case 'null':
      return nullType
    case 'boolean':
      return booleanType
    case 'int':
    case 'long':
    case 'enum':
      return countType
    case 'float':
      return floatType
    case 'double':
      return doubleType
    case 'fixed':
      return fixedType(schema.size)
    case 'bytes':
    case 'string':
      return bytesType
    case 'union':
      return unionType(schema.branches.map(avroAny), -1)
    case 'record':
      return recordType(schema.fields.map((field, at) => [`field${at}`, avroAny(field.schema)]))
    case 'array':
      return listType(avroAny(schema.items))
    case 'map':
      return listType(
        recordType([
          ['key', bytesType],
          ['value', avroAny(schema.values)],
        ]),
      )
  }
}

/** A value that may be missing: `undefined` for null, else what `type` gives for the branch taken. */
export function avroOptional<T>(
  schema: AvroSchema,
  type: (schema: AvroSchema) => TapType<T>,
): TapType<T | undefined> {
  if (schema.kind === 'null') return nullType
  if (schema.kind !== 'union') return type(schema) as TapType<T | undefined>
  const empty = schema.branches.findIndex((branch) => branch.kind === 'null')
  return unionType<T>(
    schema.branches.map((branch) => avroOptional(branch, type)),
    empty,
  )
}

export function avroNumber(schema: AvroSchema): TapType<number> {
  if (schema.kind === 'int' || schema.kind === 'long') return countType
  throw mismatch(schema, 'an integer')
}

export function avroLong(schema: AvroSchema): TapType<bigint> {
  if (schema.kind === 'int' || schema.kind === 'long') return longType
  throw mismatch(schema, 'an integer')
}

export function avroBoolean(schema: AvroSchema): TapType<boolean> {
  if (schema.kind === 'boolean') return booleanType
  throw mismatch(schema, 'a boolean')
}

export function avroString(schema: AvroSchema): TapType<string> {
  if (schema.kind === 'string') return textType
  if (schema.kind !== 'enum') throw mismatch(schema, 'a string')
  const { symbols } = schema
  const symbolAt = (at: number): string => {
    const symbol = symbols[at]
    if (symbol === undefined) throw corrupt('an enum has no such symbol')
    return symbol
  }
  return mappedType(countType, symbolAt, (symbol) => symbols.indexOf(symbol))
}

export function avroBytes(schema: AvroSchema): TapType<Uint8Array> {
  if (schema.kind === 'bytes' || schema.kind === 'string') return bytesType
  if (schema.kind === 'fixed') return fixedType(schema.size)
  throw mismatch(schema, 'bytes')
}

export function avroList<T>(
  schema: AvroSchema,
  item: (schema: AvroSchema) => TapType<T>,
): TapType<readonly T[]> {
  if (schema.kind !== 'array') throw mismatch(schema, 'an array')
  return listType(item(schema.items))
}

/**
 * A map by column id. Iceberg stores it as an array of key-value records; Avro maps with the id as text are taken too.
 * @param columns  the only ones to keep; all when absent
 */
export function avroColumnMap<T>(
  schema: AvroSchema,
  value: (schema: AvroSchema) => TapType<T>,
  columns?: ReadonlySet<number>,
): TapType<ReadonlyMap<number, T>> {
  if (schema.kind === 'map') {
    return columnMapType(mappedType(textType, Number, String), value(schema.values), columns)
  }
  const fields = schema.kind === 'array' && schema.items.kind === 'record' ? schema.items.fields : []
  const [first, second] = fields
  if (first === undefined || second === undefined || fields.length !== 2) throw mismatch(schema, 'a map')
  return columnMapType(avroNumber(first.schema), value(second.schema), columns)
}

function mismatch(schema: AvroSchema, wanted: string): FloeError {
  return new FloeError('corrupt-data', `the Avro schema has ${schema.kind} where ${wanted} is expected`)
}
