import type { NestedField, Type } from '@floe/iceberg'
import { quoteIdentifier } from '../source/relation-name.ts'
import type { CompositeField, SourceType } from '../source/source-type.ts'
import { mapScalar, textMapping } from './scalar-mapping.ts'
import type { TypePolicy } from './type-policy.ts'
import { isScalarWire } from './wire-type.ts'
import type { Wire } from './wire-type.ts'

/** How the values of one type travel and what they become. Ids of nested fields are 0 until the plan gives them. */
export type TypeMapping = {
  readonly type: Type
  readonly wire: Wire
  /** The SQL of the value, or of a whole array of scalars; `undefined` takes the column as it is. */
  readonly cast?: (expression: string, list: boolean) => string
  /** The function whose bytes the wire describes, where that is not a scalar's; quoted SQL. */
  readonly send?: string
}

const dimensionsMax = 6

/** The mapping of a type, its parts included, or `undefined` where the user has to choose another. */
export function mapType(type: SourceType, choice?: TypePolicy['as']): TypeMapping | undefined {
  if (type.kind === 'pseudo')
    return type.name === 'anyarray' && choice === undefined ? textMapping : undefined
  if (choice?.kind === 'text') return textMapping
  if (choice?.kind === 'json') return jsonMapping
  switch (type.kind) {
    case 'array':
      return mapArray(type, choice)
    case 'composite':
      return choice === undefined ? mapComposite(type.fields) : undefined
    case 'range':
      if (choice === undefined) return textMapping
      return choice.kind === 'struct' ? mapRange(type.subtype) : undefined
    case 'multirange':
      if (choice === undefined) return textMapping
      return choice.kind === 'struct' ? mapMultirange(type.subtype) : undefined
    case 'base':
    case 'enum':
      return choice === undefined ? (mapNestedBase(type) ?? mapScalar(type, choice)) : mapScalar(type, choice)
  }
}

const jsonMapping: TypeMapping = {
  type: { kind: 'string' },
  wire: { kind: 'text' },
  cast: (expression) => `pg_catalog.to_json(${expression})::text`,
}

const part = (name: string, type: Type, required: boolean): NestedField => ({ id: 0, name, type, required })

const interval: TypeMapping = {
  type: {
    kind: 'struct',
    fields: [
      part('months', { kind: 'int' }, true),
      part('days', { kind: 'int' }, true),
      part('micros', { kind: 'long' }, true),
    ],
  },
  wire: { kind: 'interval' },
  send: 'pg_catalog.interval_send',
}

/** Base types that have parts all the same. */
function mapNestedBase(type: Extract<SourceType, { kind: 'base' | 'enum' }>): TypeMapping | undefined {
  if (type.kind !== 'base') return undefined
  if (type.schema === 'pg_catalog') return type.name === 'interval' ? interval : undefined
  if (type.name !== 'hstore') return undefined
  const [key, value] = [{ kind: 'string' }, { kind: 'string' }] as const
  return {
    type: { kind: 'map', keyId: 0, key, valueId: 0, value, valueRequired: false },
    wire: { kind: 'hstore' },
    send: `${quoteIdentifier(type.schema)}.hstore_send`,
  }
}

/**
 * Casting reaches into an array element by element, except where the elements are scalars: SQL casts those arrays
 * whole, whatever their dimensions.
 */
function mapArray(
  { element, dimensions: declared }: Extract<SourceType, { kind: 'array' }>,
  choice: TypePolicy['as'],
): TypeMapping | undefined {
  const dimensions = choice?.kind === 'list' ? choice.dimensions : declared
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > dimensionsMax) return undefined
  const mapped = mapType(element, choice?.kind === 'list' ? undefined : choice)
  if (mapped === undefined) return undefined
  const { cast } = mapped
  const whole = isScalarWire(mapped.wire)
  if (cast !== undefined && !whole && dimensions > 1) return undefined
  return {
    type: nestedLists(mapped.type, dimensions),
    wire: { kind: 'list', dimensions, element: mapped.wire },
    send: 'pg_catalog.array_send',
    ...(cast === undefined
      ? {}
      : { cast: (expression) => (whole ? cast(expression, true) : castElements(expression, cast)) }),
  }
}

function nestedLists(element: Type, dimensions: number): Type {
  let type = element
  for (let dimension = 0; dimension < dimensions; dimension++) {
    type = { kind: 'list', elementId: 0, element: type, elementRequired: false }
  }
  return type
}

/** Subscripts of one dimension find nothing in an array of two: that one goes to the decoder as what it is. */
function castElements(expression: string, cast: NonNullable<TypeMapping['cast']>): string {
  const element = cast(`(${expression})[i]`, false)
  const elements = `ARRAY(SELECT ${element} FROM pg_catalog.generate_subscripts(${expression}, 1) AS i ORDER BY i)`
  return `CASE WHEN pg_catalog.array_ndims(${expression}) > 1 THEN ARRAY[ARRAY[ROW()]] WHEN ${expression} IS NOT NULL THEN ${elements} END`
}

function mapComposite(fields: readonly CompositeField[]): TypeMapping | undefined {
  if (fields.length === 0) return textMapping
  const mapped = fields.map(({ type }) => mapType(type))
  if (!mapped.every((mapping) => mapping !== undefined)) return undefined
  const row = (expression: string): string =>
    mapped
      .map(({ cast }, index) => {
        const field = `(${expression}).${quoteIdentifier(fields[index]?.name ?? '')}`
        return cast === undefined ? field : cast(field, false)
      })
      .join(', ')
  return {
    type: {
      kind: 'struct',
      fields: mapped.map(({ type }, index) => part(fields[index]?.name ?? '', type, false)),
    },
    wire: { kind: 'struct', fields: mapped.map(({ wire }) => wire) },
    send: 'pg_catalog.record_send',
    ...(mapped.every(({ cast }) => cast === undefined)
      ? {}
      : // IS NULL is also true of a row of nulls.
        {
          cast: (expression) =>
            `CASE WHEN pg_catalog.num_nulls(${expression}) = 0 THEN ROW(${row(expression)}) END`,
        }),
  }
}

/** A bound that is not there is null; an empty range has none. */
function mapRange(subtype: SourceType): TypeMapping | undefined {
  const bound = mapType(subtype)
  if (bound === undefined) return undefined
  const { type, wire, cast } = bound
  const boundSql = (value: string): string => (cast === undefined ? value : cast(value, false))
  const flag = { kind: 'bool' } as const
  return {
    type: {
      kind: 'struct',
      fields: [
        part('lower', type, false),
        part('upper', type, false),
        ...['lower_inclusive', 'upper_inclusive', 'empty'].map((name) =>
          part(name, { kind: 'boolean' }, false),
        ),
      ],
    },
    wire: { kind: 'struct', fields: [wire, wire, flag, flag, flag] },
    send: 'pg_catalog.record_send',
    cast: (range) => {
      const bounds = ['lower', 'upper'].map((name) => boundSql(`pg_catalog.${name}(${range})`))
      const flags = ['lower_inc', 'upper_inc', 'isempty'].map((name) => `pg_catalog.${name}(${range})`)
      return `CASE WHEN ${range} IS NOT NULL THEN ROW(${[...bounds, ...flags].join(', ')}) END`
    },
  }
}

function mapMultirange(subtype: SourceType): TypeMapping | undefined {
  const range = mapRange(subtype)
  if (range?.cast === undefined) return undefined
  const { cast } = range
  return {
    type: nestedLists(range.type, 1),
    wire: { kind: 'list', dimensions: 1, element: range.wire },
    send: 'pg_catalog.array_send',
    cast: (expression) =>
      `CASE WHEN ${expression} IS NOT NULL THEN ARRAY(SELECT ${cast('u.r', false)} FROM pg_catalog.unnest(${expression}) AS u(r)) END`,
  }
}
