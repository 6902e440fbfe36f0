import type { JsonObject, JsonValue } from './json.ts'
import type { ListType, MapType, NestedField, PrimitiveType, StructType, Type } from './type.ts'

/** Avro schema of a struct, in the form that Java writes (spec Appendix A "Avro"): ids, logical types, null first. */
export function structToAvro(struct: StructType, recordName: string): JsonObject {
  return recordToAvro(struct, recordName, new Set())
}

/** @param defined  names of fixed types that stand earlier in the schema: Avro defines a name once */
function recordToAvro(struct: StructType, name: string, defined: Set<string>): JsonObject {
  return { type: 'record', name, fields: struct.fields.map((field) => fieldToAvro(field, defined)) }
}

function fieldToAvro(field: NestedField, defined: Set<string>): JsonObject {
  const name = avroName(field.name)
  return {
    name,
    type: optionalToAvro(field, typeToAvro(field.type, field.id, defined)),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
    ...(field.required ? {} : { default: null }),
    ...(name === field.name ? {} : { 'iceberg-field-name': field.name }),
    'field-id': field.id,
  }
}

function optionalToAvro(field: NestedField, type: JsonValue): JsonValue {
  return field.required || type === 'null' ? type : ['null', type]
}

function typeToAvro(type: Type, fieldId: number, defined: Set<string>): JsonValue {
  switch (type.kind) {
    case 'struct':
      return recordToAvro(type, `r${fieldId}`, defined)
    case 'list':
      return listToAvro(type, defined)
    case 'map':
      return mapToAvro(type, defined)
    default:
      return primitiveToAvro(type, defined)
  }
}

function listToAvro(type: ListType, defined: Set<string>): JsonObject {
  const items = typeToAvro(type.element, type.elementId, defined)
  return {
    type: 'array',
    items: type.elementRequired ? items : ['null', items],
    'element-id': type.elementId,
  }
}

/** Spec: a map without string keys is an array of key-value records. */
function mapToAvro(type: MapType, defined: Set<string>): JsonObject {
  const entry: StructType = {
    kind: 'struct',
    fields: [
      { id: type.keyId, name: 'key', type: type.key, required: true },
      { id: type.valueId, name: 'value', type: type.value, required: type.valueRequired },
    ],
  }
  return {
    type: 'array',
    items: recordToAvro(entry, `k${type.keyId}_v${type.valueId}`, defined),
    logicalType: 'map',
  }
}

function primitiveToAvro(type: PrimitiveType, defined: Set<string>): JsonValue {
  switch (type.kind) {
    case 'unknown':
      return 'null'
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type.kind === 'timestamptz' }
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { type: 'long', logicalType: 'timestamp-nanos', 'adjust-to-utc': type.kind === 'timestamptz_ns' }
    case 'uuid':
      return fixedToAvro('uuid_fixed', 16, { logicalType: 'uuid' }, defined)
    case 'fixed':
      return fixedToAvro(`fixed_${type.length}`, type.length, {}, defined)
    case 'decimal': {
      const { precision, scale } = type
      const logical = { logicalType: 'decimal', precision, scale }
      return fixedToAvro(`decimal_${precision}_${scale}`, decimalBytes(precision), logical, defined)
    }
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return 'bytes'
    default:
      return type.kind
  }
}

function fixedToAvro(name: string, size: number, logical: JsonObject, defined: Set<string>): JsonValue {
  if (defined.has(name)) return name
  defined.add(name)
  return { type: 'fixed', name, size, ...logical }
}

/** Fewest bytes of two's complement that hold every unscaled value of a precision (spec Appendix A). */
function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n
  return Math.floor(largest.toString(2).length / 8) + 1
}

/** A field name as Avro takes it, in Java's way: `a.b` becomes `a_x2Eb`, `1st` becomes `_1st`. */
export function avroName(name: string): string {
  // By UTF-16 unit, as Java does: half of a pair is no letter.
  return name
    .split('')
    .map((unit, at) => avroNameUnit(unit, at === 0))
    .join('')
}

function avroNameUnit(unit: string, first: boolean): string {
  if (/[\p{L}_]/u.test(unit)) return unit
  if (/\p{Nd}/u.test(unit)) return first ? `_${unit}` : unit
  return `_x${unit.charCodeAt(0).toString(16).toUpperCase()}`
}
