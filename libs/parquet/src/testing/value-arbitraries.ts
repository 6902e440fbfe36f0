import { uuidFromBytes, type PrimitiveType, type PrimitiveValue, type Schema, type Type } from '@floe/iceberg'
import * as fc from 'fast-check'
import type { RowValue } from './batch-of-rows.ts'

/** One of every primitive type that Parquet files hold, decimals in each storage. */
export const primitiveTypes: readonly PrimitiveType[] = [
  { kind: 'boolean' },
  { kind: 'int' },
  { kind: 'long' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'timestamp' },
  { kind: 'timestamptz' },
  { kind: 'timestamp_ns' },
  { kind: 'string' },
  { kind: 'uuid' },
  { kind: 'binary' },
  { kind: 'fixed', length: 5 },
  { kind: 'decimal', precision: 9, scale: 2 },
  { kind: 'decimal', precision: 18, scale: 0 },
  { kind: 'decimal', precision: 38, scale: 10 },
]

/** One optional column per primitive type, named by its position. */
export const primitiveSchema: Schema = {
  schemaId: 0,
  fields: primitiveTypes.map((type, index) => ({ id: index + 1, name: `c${index}`, type, required: false })),
}

/** Values of a type, edges included, within what DuckDB's own types can show. */
export function valueArbitrary(type: PrimitiveType): fc.Arbitrary<PrimitiveValue> {
  const day = 86_400_000_000n
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.oneof(
        fc.integer(),
        fc.integer({ min: -3, max: 3 }),
        fc.constantFrom(-0x8000_0000, 0x7fff_ffff),
      )
    case 'date':
      return fc.integer({ min: -700_000, max: 2_900_000 })
    case 'long':
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: -3n, max: 3n }),
        fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, 2n ** 31n, -(2n ** 32n), 2n ** 32n - 1n),
      )
    case 'time':
      return fc.bigInt({ min: 0n, max: day - 1n })
    case 'timestamp':
    case 'timestamptz':
      return fc.bigInt({ min: -700_000n * day, max: 2_900_000n * day })
    case 'float':
      return fc.oneof(fc.float(), fc.constantFrom(0, -0, NaN))
    case 'double':
      return fc.oneof(fc.double(), fc.constantFrom(0, -0, NaN))
    case 'decimal': {
      const max = 10n ** BigInt(type.precision) - 1n
      return fc.oneof(fc.bigInt({ min: -max, max }), fc.constantFrom(-max, max, -1n, 0n))
    }
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes)
    case 'fixed':
      return fc.uint8Array({ minLength: type.length, maxLength: type.length })
    case 'binary':
      return fc.uint8Array({ maxLength: 30 })
    case 'string':
      return fc.oneof(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.constantFrom('', 'a', 'ab', '\u{10FFFF}'),
      )
    default:
      return fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
  }
}

/** Values of any type, nested ones too, with nulls where the schema allows them. */
export function rowValueArbitrary(type: Type, required: boolean): fc.Arbitrary<RowValue> {
  const values = presentArbitrary(type)
  return required ? values : fc.option(values, { freq: 4 })
}

function presentArbitrary(type: Type): fc.Arbitrary<RowValue> {
  switch (type.kind) {
    case 'struct':
      return fc.record(
        Object.fromEntries(
          type.fields.map((field) => [field.name, rowValueArbitrary(field.type, field.required)]),
        ),
      )
    case 'list':
      return fc.array(rowValueArbitrary(type.element, type.elementRequired), { maxLength: 4 })
    case 'map':
      return fc.uniqueArray(
        fc.tuple(rowValueArbitrary(type.key, true), rowValueArbitrary(type.value, type.valueRequired)),
        { maxLength: 4, selector: ([key]) => JSON.stringify(key) },
      )
    default:
      return valueArbitrary(type)
  }
}
