import { FloeError } from './error.ts'
import {
  extraMembers,
  isPresent,
  readArray,
  readBoolean,
  readInteger,
  readObject,
  readString,
} from './json-member.ts'
import { jsonEqual, type JsonObject, type JsonValue } from './json.ts'

/** Spec "Primitive Types" without parameters. `variant` is a leaf here: its shredding is the file format's business. */
export type SimpleKind =
  | 'unknown'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'variant'

export type PrimitiveType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'fixed'; readonly length: number }
  | { readonly kind: 'geometry'; readonly crs?: string }
  | { readonly kind: 'geography'; readonly crs?: string; readonly algorithm?: string }

export type NestedField = {
  readonly id: number
  readonly name: string
  readonly type: Type
  readonly required: boolean
  readonly doc?: string
  /** JSON single-value form (spec Appendix D). */
  readonly initialDefault?: JsonValue
  readonly writeDefault?: JsonValue
  /** JSON members this version does not know, kept so that they survive a rewrite. */
  readonly extra?: JsonObject
}
export type StructType = {
  readonly kind: 'struct'
  readonly fields: readonly NestedField[]
  readonly extra?: JsonObject
}
export type ListType = {
  readonly kind: 'list'
  readonly elementId: number
  readonly element: Type
  readonly elementRequired: boolean
  readonly extra?: JsonObject
}
export type MapType = {
  readonly kind: 'map'
  readonly keyId: number
  readonly key: Type
  readonly valueId: number
  readonly value: Type
  readonly valueRequired: boolean
  readonly extra?: JsonObject
}
export type NestedType = StructType | ListType | MapType
export type Type = PrimitiveType | NestedType

/**
 * A value of a primitive type, as every module of Floe holds it:
 * boolean -> boolean; int, date (days) -> number; long, time and timestamps (micros, or nanos for *_ns) -> bigint;
 * float, double -> number; decimal -> bigint (unscaled, the scale is the type's); string -> string;
 * uuid -> lower-case string with dashes; fixed, binary, variant, geometry, geography -> Uint8Array.
 */
export type PrimitiveValue = boolean | number | bigint | string | Uint8Array

const simpleKinds: ReadonlySet<string> = new Set<SimpleKind>([
  'unknown',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'variant',
])

export const decimalPrecisionMax = 38

const structMembers: ReadonlySet<string> = new Set(['type', 'fields'])
const listMembers: ReadonlySet<string> = new Set(['type', 'element-id', 'element', 'element-required'])
const mapMembers: ReadonlySet<string> = new Set([
  'type',
  'key-id',
  'key',
  'value-id',
  'value',
  'value-required',
])

/** Type from its JSON form (spec Appendix C). Throws `invalid-input` for what is no type. */
export function parseType(json: JsonValue): Type {
  if (typeof json === 'string') return parsePrimitiveType(json)
  const object = readObject(json, 'type')
  switch (object['type']) {
    case 'struct':
      return {
        kind: 'struct',
        fields: readArray(object['fields'], 'struct fields').map(parseNestedField),
        ...extraMembers(object, structMembers),
      }
    case 'list':
      return {
        kind: 'list',
        elementId: readInteger(object, 'element-id', 'list'),
        element: parseType(object['element'] ?? null),
        elementRequired: readBoolean(object, 'element-required', 'list'),
        ...extraMembers(object, listMembers),
      }
    case 'map':
      return {
        kind: 'map',
        keyId: readInteger(object, 'key-id', 'map'),
        key: parseType(object['key'] ?? null),
        valueId: readInteger(object, 'value-id', 'map'),
        value: parseType(object['value'] ?? null),
        valueRequired: readBoolean(object, 'value-required', 'map'),
        ...extraMembers(object, mapMembers),
      }
    default:
      throw new FloeError('invalid-input', 'a nested type must be "struct", "list" or "map"')
  }
}

function parsePrimitiveType(text: string): PrimitiveType {
  const name = text.trim().toLowerCase()
  if (simpleKinds.has(name)) return { kind: name as SimpleKind }
  const decimal = /^decimal\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(name)
  if (decimal) return decimalType(Number(decimal[1]), Number(decimal[2]))
  const fixed = /^fixed\s*\[\s*(\d+)\s*\]$/.exec(name)
  if (fixed) return { kind: 'fixed', length: Number(fixed[1]) }
  return parseGeoType(text) ?? unknownType(text)
}

function decimalType(precision: number, scale: number): PrimitiveType {
  if (precision < 1 || precision > decimalPrecisionMax || scale > precision) {
    throw new FloeError('invalid-input', `decimal(${precision}, ${scale}) is no valid type`, {
      hint: `the precision is 1 to ${decimalPrecisionMax} and the scale at most the precision`,
    })
  }
  return { kind: 'decimal', precision, scale }
}

function parseGeoType(text: string): PrimitiveType | undefined {
  const match = /^\s*(geometry|geography)\s*(?:\(\s*([^,)]+?)\s*(?:,\s*([^,)]+?)\s*)?\))?\s*$/i.exec(text)
  if (!match) return undefined
  const crs = match[2] === undefined ? {} : { crs: match[2] }
  const algorithm = match[3]
  if (match[1]?.toLowerCase() === 'geography') {
    return {
      kind: 'geography',
      ...crs,
      ...(algorithm === undefined ? {} : { algorithm: algorithm.toLowerCase() }),
    }
  }
  return algorithm === undefined ? { kind: 'geometry', ...crs } : undefined
}

function unknownType(text: string): never {
  throw new FloeError('invalid-input', `"${text}" is no Iceberg type`, {
    hint: 'use a type of the Iceberg spec, such as long, string, decimal(9, 2) or timestamptz',
  })
}

const fieldMembers: ReadonlySet<string> = new Set([
  'id',
  'name',
  'required',
  'type',
  'doc',
  'initial-default',
  'write-default',
])

/** One field of a struct or of a schema from its JSON form. */
export function parseNestedField(json: JsonValue): NestedField {
  const object = readObject(json, 'field')
  const name = readString(object, 'name', 'field')
  const doc = object['doc']
  const initialDefault = object['initial-default']
  const writeDefault = object['write-default']
  return {
    id: readInteger(object, 'id', `field "${name}"`),
    name,
    type: parseType(object['type'] ?? null),
    required: readBoolean(object, 'required', `field "${name}"`),
    ...(isPresent(doc) ? { doc: readString(object, 'doc', `field "${name}"`) } : {}),
    ...(isPresent(initialDefault) ? { initialDefault } : {}),
    ...(isPresent(writeDefault) ? { writeDefault } : {}),
    ...extraMembers(object, fieldMembers),
  }
}

/** Inverse of `parseType`. */
export function typeToJson(type: Type): JsonValue {
  switch (type.kind) {
    case 'struct':
      return { type: 'struct', fields: type.fields.map(nestedFieldToJson), ...type.extra }
    case 'list':
      return {
        type: 'list',
        'element-id': type.elementId,
        element: typeToJson(type.element),
        'element-required': type.elementRequired,
        ...type.extra,
      }
    case 'map':
      return {
        type: 'map',
        'key-id': type.keyId,
        key: typeToJson(type.key),
        'value-id': type.valueId,
        value: typeToJson(type.value),
        'value-required': type.valueRequired,
        ...type.extra,
      }
    default:
      return typeToString(type)
  }
}

export function nestedFieldToJson(field: NestedField): JsonObject {
  return {
    id: field.id,
    name: field.name,
    required: field.required,
    type: typeToJson(field.type),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
    ...(field.initialDefault === undefined ? {} : { 'initial-default': field.initialDefault }),
    ...(field.writeDefault === undefined ? {} : { 'write-default': field.writeDefault }),
    ...field.extra,
  }
}

/** The spec's string form of a primitive, `decimal(9, 2)` with its space; nested types in Java's `struct<1: a: optional int>` form. */
export function typeToString(type: Type): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'fixed':
      return `fixed[${type.length}]`
    case 'geometry':
      return type.crs === undefined ? 'geometry' : `geometry(${type.crs})`
    case 'geography':
      return geographyToString(type.crs, type.algorithm)
    case 'struct':
      return `struct<${type.fields.map(fieldToString).join(', ')}>`
    case 'list':
      return `list<${typeToString(type.element)}>`
    case 'map':
      return `map<${typeToString(type.key)}, ${typeToString(type.value)}>`
    default:
      return type.kind
  }
}

/** Spec "Primitive Types": the reference system of geometry and geography, and the edges of geography, when not given. */
const defaultCrs = 'OGC:CRS84'
const defaultAlgorithm = 'spherical'

function geographyToString(crs: string | undefined, algorithm: string | undefined): string {
  if (algorithm !== undefined) return `geography(${crs ?? defaultCrs}, ${algorithm})`
  return crs === undefined ? 'geography' : `geography(${crs})`
}

function fieldToString(field: NestedField): string {
  return `${field.id}: ${field.name}: ${field.required ? 'required' : 'optional'} ${typeToString(field.type)}`
}

/** Same type with same ids, names, nullability, docs and defaults. */
export function typesEqual(a: Type, b: Type): boolean {
  if (a === b) return true
  switch (a.kind) {
    case 'decimal':
      return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale
    case 'fixed':
      return b.kind === 'fixed' && a.length === b.length
    case 'geometry':
      return b.kind === 'geometry' && (a.crs ?? defaultCrs) === (b.crs ?? defaultCrs)
    case 'geography':
      return (
        b.kind === 'geography' &&
        (a.crs ?? defaultCrs) === (b.crs ?? defaultCrs) &&
        (a.algorithm ?? defaultAlgorithm) === (b.algorithm ?? defaultAlgorithm)
      )
    case 'struct':
    case 'list':
    case 'map':
      return a.kind === b.kind && jsonEqual(typeToJson(a), typeToJson(b))
    default:
      return a.kind === b.kind
  }
}

export function isPrimitive(type: Type): type is PrimitiveType {
  return type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map'
}

/** Oldest format version whose tables may hold this type (spec "Primitive Types" and "Default values"). */
export function minimumFormatVersion(type: Type): 1 | 3 {
  switch (type.kind) {
    case 'unknown':
    case 'variant':
    case 'geometry':
    case 'geography':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return 3
    case 'struct':
      return type.fields.some(needsVersion3) ? 3 : 1
    case 'list':
      return minimumFormatVersion(type.element)
    case 'map':
      return minimumFormatVersion(type.key) === 3 ? 3 : minimumFormatVersion(type.value)
    default:
      return 1
  }
}

function needsVersion3(field: NestedField): boolean {
  // A write default does not change what old readers see, but Java refuses both below v3.
  return (
    field.initialDefault !== undefined ||
    field.writeDefault !== undefined ||
    minimumFormatVersion(field.type) === 3
  )
}
