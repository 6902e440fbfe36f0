import { FloeError } from './error.ts'
import { isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'

/** A writer's schema, with Iceberg's ids and without names to resolve. */
export type AvroSchema =
  | {
      readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'
      readonly logicalType?: string
    }
  | { readonly kind: 'fixed'; readonly size: number; readonly logicalType?: string }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroSchema }
  | { readonly kind: 'map'; readonly values: AvroSchema }
  | { readonly kind: 'union'; readonly branches: readonly AvroSchema[] }
  | AvroRecord

export type AvroRecord = { readonly kind: 'record'; readonly fields: readonly AvroField[] }
export type AvroField = {
  readonly name: string
  readonly fieldId: number | undefined
  readonly schema: AvroSchema
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/** The record that an Avro file holds, from the JSON of its `avro.schema`. Throws `invalid-input`. */
export function parseAvroSchema(json: JsonValue): AvroRecord {
  const schema = parseNamed(json, new Map())
  if (schema.kind === 'record') return schema
  throw new FloeError('invalid-input', 'the Avro schema is not a record')
}

function parseNamed(json: JsonValue | undefined, named: Map<string, AvroSchema>): AvroSchema {
  if (typeof json === 'string') return parseName(json, named)
  if (Array.isArray(json)) {
    return {
      kind: 'union',
      branches: readArray(json, 'Avro union').map((branch) => parseNamed(branch, named)),
    }
  }
  const object = readObject(json, 'Avro schema')
  const type = object['type']
  switch (type) {
    case 'record':
      return remember(object, named, parseRecord(object, named))
    case 'array':
      return { kind: 'array', items: parseNamed(object['items'], named) }
    case 'map':
      return { kind: 'map', values: parseNamed(object['values'], named) }
    case 'fixed':
      return remember(object, named, {
        kind: 'fixed',
        size: readInteger(object, 'size', 'Avro fixed'),
        ...logicalType(object),
      })
    case 'enum': {
      const symbols = readArray(object['symbols'], 'Avro enum').map(String)
      return remember(object, named, { kind: 'enum', symbols })
    }
    default: {
      const inner = parseNamed(type, named)
      return typeof type === 'string' && primitives.has(type)
        ? ({ ...inner, ...logicalType(object) } as AvroSchema)
        : inner
    }
  }
}

function logicalType(object: JsonObject): { readonly logicalType?: string } {
  const name = object['logicalType']
  return typeof name === 'string' ? { logicalType: name } : {}
}

function parseName(name: string, named: ReadonlyMap<string, AvroSchema>): AvroSchema {
  if (primitives.has(name)) return { kind: name as 'null' }
  const schema = named.get(name)
  if (schema !== undefined) return schema
  throw new FloeError('invalid-input', `the Avro schema names "${name}", which it does not define`)
}

function parseRecord(object: JsonObject, named: Map<string, AvroSchema>): AvroRecord {
  const fields = readArray(object['fields'], 'Avro record').map((json): AvroField => {
    const field = readObject(json, 'Avro field')
    return {
      name: readString(field, 'name', 'Avro field'),
      fieldId: isPresent(field['field-id']) ? readInteger(field, 'field-id', 'Avro field') : undefined,
      schema: parseNamed(field['type'], named),
    }
  })
  return { kind: 'record', fields }
}

function remember<T extends AvroSchema>(object: JsonObject, named: Map<string, AvroSchema>, schema: T): T {
  const { name, namespace } = object
  if (typeof name === 'string') {
    named.set(name, schema)
    if (typeof namespace === 'string') named.set(`${namespace}.${name}`, schema)
  }
  return schema
}
