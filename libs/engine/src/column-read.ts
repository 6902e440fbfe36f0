import { FloeError, isPrimitive, singleValueToJson, stringifyJson } from '@floe/iceberg'
import type {
  DataFile,
  JsonValue,
  NestedField,
  PartitionSpec,
  PrimitiveType,
  StructType,
  Type,
} from '@floe/iceberg'

import type { FileField, FileLayout } from './file-layout.ts'
import { hasFieldIds } from './name-mapping.ts'
import { duckdbType, quoteIdentifier, quoteText } from './sql-text.ts'

/** How one column of a table is read from files of one layout. */
export type ColumnRead = {
  readonly fieldId: number
  /** The file's own name of the column; absent where the file does not have it. */
  readonly storedName?: string
  /** Key in `read_parquet`'s schema map: a field id, or a name as SQL text for files without ids. */
  readonly key: string
  /** Type that the file's column is read as. */
  readonly type: string
  /** Value of a column that the file does not have, as SQL. */
  readonly defaultValue: string
  /** What makes the table's column of `column`. */
  readonly expression: (column: string) => string
}

/** Name that no column of a file has. */
const absent = '__floe_absent_'

export type ReadContext = {
  /** As the footer has it, or with the ids that a name mapping gave. */
  readonly layout: FileLayout
  readonly footer: FileLayout
  readonly file: DataFile
  readonly spec: PartitionSpec | undefined
}

/** The reads of `fields` from one file. Two files with equal `readsKey`s may be read together. */
export function columnReads(fields: readonly NestedField[], context: ReadContext): readonly ColumnRead[] {
  return fields.map((field) => columnRead(field, context))
}

export function readsKey(reads: readonly ColumnRead[]): string {
  return JSON.stringify(
    reads.map(({ key, type, defaultValue, expression }) => [key, type, defaultValue, expression('')]),
  )
}

function columnRead(field: NestedField, context: ReadContext): ColumnRead {
  const { id, type } = field
  const stored = context.layout.find(({ fieldId }) => fieldId === id)
  const byId = hasFieldIds(context.footer)
  const read = {
    fieldId: id,
    type: duckdbType(type),
    defaultValue: 'NULL',
    expression: (column: string) => column,
    ...(stored === undefined ? {} : { storedName: stored.name }),
  }
  if (stored === undefined) {
    return {
      ...read,
      key: byId ? String(id) : quoteText(`${absent}${id}`),
      defaultValue: absentValue(field, context),
    }
  }
  const key = byId ? String(id) : quoteText(stored.name)
  if (type.kind === 'geometry' || type.kind === 'geography')
    return { ...read, key, expression: wellKnownText }
  if (isPrimitive(type) || sameNames(type, stored)) return { ...read, key }
  const { mapping, defaults } = remapping(type, stored)
  const target = `NULL::${duckdbType(type)}`
  return {
    ...read,
    key,
    type: storedType(type, stored),
    expression: (column) => `remap_struct(${column}, ${target}, ${mapping}, ${defaults ?? 'NULL'})`,
  }
}

/** Files that annotate their geometries give text; others give the text of a BLOB, whose first byte is 0 or 1. */
function wellKnownText(column: string): string {
  return `CASE WHEN starts_with(${column}, '\\x0') THEN ST_AsText(ST_GeomFromWKB(${column}::BLOB)) ELSE ${column} END`
}

/** Spec "Column Projection": the partition's value of an identity field, else the initial default, else null. */
function absentValue(field: NestedField, { file, spec }: ReadContext): string {
  const { id, type, initialDefault } = field
  const position = spec?.fields.findIndex(
    ({ sourceIds, transform }) => transform.kind === 'identity' && sourceIds[0] === id,
  )
  const value = position === undefined || position < 0 ? undefined : file.partition[position]
  if (!isPrimitive(type)) return 'NULL'
  if (value !== undefined && value !== null) return defaultText(type, singleValueToJson(type, value))
  return initialDefault === undefined ? 'NULL' : defaultText(type, initialDefault)
}

/** A default as text that DuckDB casts to the column's type: all defaults of one schema map must share a type. */
function defaultText(type: PrimitiveType, json: JsonValue): string {
  if (json === null) return 'NULL'
  const text = typeof json === 'string' ? json : stringifyJson(json)
  if (type.kind !== 'binary' && type.kind !== 'fixed') return quoteText(text)
  return quoteText(text.replaceAll(/../g, (byte) => `\\x${byte.toUpperCase()}`))
}

/**
 * Whether a nested value may be cast by name, which is how DuckDB reads nested types: each stored field has the name it
 * has now, no other stored field has taken a name, and none is missing that has a default.
 */
function sameNames(type: Type, stored: FileField): boolean {
  switch (type.kind) {
    case 'struct':
      // A cast by name needs a name that both sides have.
      return (
        type.fields.some((field) => holds(stored, field)) &&
        type.fields.every((field) => sameField(field, stored))
      )
    case 'list':
      return sameNested(type.element, stored.children[0])
    case 'map':
      return sameNested(type.key, stored.children[0]) && sameNested(type.value, stored.children[1])
    default:
      return true
  }
}

function holds(parent: FileField, { id }: NestedField): boolean {
  return parent.children.some(({ fieldId }) => fieldId === id)
}

function sameField(field: NestedField, parent: FileField): boolean {
  const stored = parent.children.find(({ fieldId }) => fieldId === field.id)
  const taken = parent.children.some(
    (other) => other.fieldId !== field.id && sameName(other.name, field.name),
  )
  if (taken) return false
  if (stored === undefined) return field.initialDefault === undefined
  return sameName(stored.name, field.name) && sameNames(field.type, stored)
}

function sameNested(type: Type, stored: FileField | undefined): boolean {
  return stored !== undefined && sameNames(type, stored)
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** The type of the stored value with the names that the file has, and the types that the table has. */
function storedType(type: Type, stored: FileField): string {
  switch (type.kind) {
    case 'struct':
      return `STRUCT(${presentFields(type, stored)
        .map(([field, child]) => `${quoteIdentifier(child.name)} ${storedType(field.type, child)}`)
        .join(', ')})`
    case 'list':
      return `${storedType(type.element, nested(stored, 0))}[]`
    case 'map':
      return `MAP(${storedType(type.key, nested(stored, 0))}, ${storedType(type.value, nested(stored, 1))})`
    default:
      return duckdbType(type)
  }
}

function presentFields(
  { fields }: StructType,
  stored: FileField,
): readonly (readonly [NestedField, FileField])[] {
  const present = fields.flatMap((field) => {
    const child = stored.children.find(({ fieldId }) => fieldId === field.id)
    return child === undefined ? [] : [[field, child] as const]
  })
  if (present.length > 0) return present
  throw new FloeError('unsupported', `a file holds none of the fields that the struct "${stored.name}" has`, {
    hint: 'rewrite the files that are older than the change of this struct',
  })
}

function nested(stored: FileField, at: number): FileField {
  const child = stored.children[at]
  if (child !== undefined) return child
  throw new FloeError('corrupt-data', `the list or map "${stored.name}" of a Parquet file is incomplete`)
}

type Remapping = { readonly mapping: string; readonly defaults: string | undefined }

/** Arguments of `remap_struct`: where each field comes from, and values of those that come from nowhere. */
function remapping(type: Type, stored: FileField): Remapping {
  if (type.kind === 'struct') return structRemapping(type, stored)
  const parts =
    type.kind === 'list'
      ? [part('list', 'list', type.element, nested(stored, 0))]
      : type.kind === 'map'
        ? [
            part('key', 'key', type.key, nested(stored, 0)),
            part('value', 'value', type.value, nested(stored, 1)),
          ]
        : []
  return joined(parts)
}

function structRemapping(type: StructType, stored: FileField): Remapping {
  const present = new Map(presentFields(type, stored).map(([field, child]) => [field.id, child]))
  return joined(
    type.fields.map((field) => {
      const child = present.get(field.id)
      const name = quoteIdentifier(field.name)
      if (child !== undefined) return part(name, child.name, field.type, child)
      return { mapping: undefined, defaults: `${name}: ${nestedDefault(field)}` }
    }),
  )
}

function nestedDefault({ type, initialDefault }: NestedField): string {
  const value = isPrimitive(type) && initialDefault !== undefined ? defaultText(type, initialDefault) : 'NULL'
  return `CAST(${value} AS ${duckdbType(type)})`
}

type Part = { readonly mapping: string | undefined; readonly defaults: string | undefined }

function part(name: string, storedName: string, type: Type, stored: FileField): Part {
  if (isPrimitive(type)) return { mapping: `${name}: ${quoteText(storedName)}`, defaults: undefined }
  const { mapping, defaults } = remapping(type, stored)
  return {
    mapping: `${name}: (${quoteText(storedName)}, ${mapping})`,
    defaults: defaults === undefined ? undefined : `${name}: ${defaults}`,
  }
}

function joined(parts: readonly Part[]): Remapping {
  const defaults = parts.flatMap((each) => each.defaults ?? [])
  return {
    mapping: `{${parts.flatMap((each) => each.mapping ?? []).join(', ')}}`,
    defaults: defaults.length === 0 ? undefined : `{${defaults.join(', ')}}`,
  }
}
