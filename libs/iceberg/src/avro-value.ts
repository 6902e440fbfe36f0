import { readBlockCount } from './avro-container.ts'
import type { AvroCursor } from './avro-cursor.ts'
import type { AvroSchema } from './avro-schema.ts'
import { FloeError } from './error.ts'

export type AvroReader<T> = (cursor: AvroCursor) => T

/** Passes over a value. */
export function avroSkipper(schema: AvroSchema): AvroReader<void> {
  switch (schema.kind) {
    case 'null':
      return () => undefined
    case 'boolean':
      return (cursor) => cursor.skip(1)
    case 'int':
    case 'long':
    case 'enum':
      return (cursor) => cursor.skipVariable()
    case 'float':
      return (cursor) => cursor.skip(4)
    case 'double':
      return (cursor) => cursor.skip(8)
    case 'fixed':
      return (cursor) => cursor.skip(schema.size)
    case 'bytes':
    case 'string':
      return (cursor) => cursor.skip(cursor.readNumber())
    case 'union': {
      const branches = schema.branches.map(avroSkipper)
      return (cursor) => chosenBranch(branches, cursor)(cursor)
    }
    case 'record': {
      const fields = schema.fields.map((field) => avroSkipper(field.schema))
      return (cursor) => {
        for (const skip of fields) skip(cursor)
      }
    }
    case 'array':
      return skipItems(avroSkipper(schema.items))
    case 'map': {
      const skipValue = avroSkipper(schema.values)
      return skipItems((cursor) => {
        cursor.skip(cursor.readNumber())
        skipValue(cursor)
      })
    }
  }
}

function skipItems(skip: AvroReader<void>): AvroReader<void> {
  return (cursor) => {
    for (let count = cursor.readNumber(); count !== 0; count = cursor.readNumber()) {
      // A negative count says how many bytes follow: no need to look at the items.
      if (count < 0) cursor.skip(cursor.readNumber())
      else for (let at = 0; at < count; at++) skip(cursor)
    }
  }
}

export function chosenBranch<T>(branches: readonly T[], cursor: AvroCursor): T {
  const branch = branches[cursor.readNumber()]
  if (branch === undefined) throw new FloeError('corrupt-data', 'Avro data: a union has no such branch')
  return branch
}

/** Reads through unions: `undefined` for null, else what `read` gives for the branch taken. */
export function avroOptional<T>(
  schema: AvroSchema,
  reader: (schema: AvroSchema) => AvroReader<T>,
): AvroReader<T | undefined> {
  if (schema.kind === 'null') return () => undefined
  if (schema.kind !== 'union') return reader(schema)
  const branches = schema.branches.map((branch) => avroOptional(branch, reader))
  return (cursor) => chosenBranch(branches, cursor)(cursor)
}

export function avroNumber(schema: AvroSchema): AvroReader<number> {
  if (schema.kind === 'int' || schema.kind === 'long') return (cursor) => cursor.readNumber()
  throw mismatch(schema, 'an integer')
}

export function avroLong(schema: AvroSchema): AvroReader<bigint> {
  if (schema.kind === 'int' || schema.kind === 'long') return (cursor) => cursor.readLong()
  throw mismatch(schema, 'an integer')
}

export function avroBoolean(schema: AvroSchema): AvroReader<boolean> {
  if (schema.kind === 'boolean') return (cursor) => cursor.readBoolean()
  throw mismatch(schema, 'a boolean')
}

export function avroString(schema: AvroSchema): AvroReader<string> {
  if (schema.kind === 'string') return (cursor) => cursor.readString()
  if (schema.kind === 'enum') {
    const { symbols } = schema
    return (cursor) => chosenBranch(symbols, cursor)
  }
  throw mismatch(schema, 'a string')
}

export function avroBytes(schema: AvroSchema): AvroReader<Uint8Array> {
  if (schema.kind === 'bytes' || schema.kind === 'string') return (cursor) => cursor.readBytes()
  if (schema.kind === 'fixed') return (cursor) => cursor.readFixed(schema.size)
  throw mismatch(schema, 'bytes')
}

export function avroList<T>(
  schema: AvroSchema,
  item: (schema: AvroSchema) => AvroReader<T>,
): AvroReader<readonly T[]> {
  if (schema.kind !== 'array') throw mismatch(schema, 'an array')
  const read = item(schema.items)
  return (cursor) => {
    const items: T[] = []
    for (let count = readBlockCount(cursor); count > 0; count = readBlockCount(cursor)) {
      for (let at = 0; at < count; at++) items.push(read(cursor))
    }
    return items
  }
}

/**
 * A map by column id. Iceberg stores it as an array of key-value records; Avro maps with the id as text are taken too.
 * @param keys  the only keys to keep; all when absent
 */
export function avroIntMap<T>(
  schema: AvroSchema,
  value: (schema: AvroSchema) => AvroReader<T>,
  keys?: ReadonlySet<number>,
): AvroReader<ReadonlyMap<number, T>> {
  if (schema.kind === 'map')
    return mapReader(
      (cursor) => Number(cursor.readString()),
      value(schema.values),
      avroSkipper(schema.values),
      keys,
    )
  const fields = schema.kind === 'array' && schema.items.kind === 'record' ? schema.items.fields : []
  const [first, second] = fields
  if (first === undefined || second === undefined || fields.length !== 2) throw mismatch(schema, 'a map')
  return mapReader(avroNumber(first.schema), value(second.schema), avroSkipper(second.schema), keys)
}

function mapReader<T>(
  readKey: AvroReader<number>,
  readValue: AvroReader<T>,
  skipValue: AvroReader<void>,
  keys: ReadonlySet<number> | undefined,
): AvroReader<ReadonlyMap<number, T>> {
  return (cursor) => {
    const map = new Map<number, T>()
    for (let count = readBlockCount(cursor); count > 0; count = readBlockCount(cursor)) {
      for (let at = 0; at < count; at++) {
        const key = readKey(cursor)
        if (keys === undefined || keys.has(key)) map.set(key, readValue(cursor))
        else skipValue(cursor)
      }
    }
    return map
  }
}

function mismatch(schema: AvroSchema, wanted: string): FloeError {
  return new FloeError('corrupt-data', `the Avro schema has ${schema.kind} where ${wanted} is expected`)
}
