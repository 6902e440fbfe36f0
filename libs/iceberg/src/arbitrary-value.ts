import * as fc from 'fast-check'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'

/** Random values of a type for property tests: dense around zero and the ends, where floors, carries and signs go wrong. */
export function arbitraryValue(type: PrimitiveType): fc.Arbitrary<PrimitiveValue> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int':
    case 'date':
      return fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer())
    case 'long':
      return fc.oneof(
        fc.bigInt({ min: -40n, max: 40n }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      )
    case 'time':
      return fc.bigInt({ min: 0n, max: 86_399_999_999n })
    case 'timestamp':
    case 'timestamptz':
      return instants(1_000_000n)
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return instants(1_000_000_000n)
    case 'float':
      return fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float())
    case 'double':
      return fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double())
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n
      return fc.oneof(fc.bigInt({ min: -40n, max: 40n }), fc.bigInt({ min: -limit, max: limit }))
    }
    case 'string':
      // Short texts of two letters share prefixes; the others meet every step of UTF-8 order.
      return fc.oneof(
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 }),
        fc.string({
          unit: fc.constantFrom('a', 'b', '\u{D7FF}', '\u{E000}', '\u{FFFD}', '😀', '\u{10FFFF}'),
          maxLength: 20,
        }),
      )
    case 'uuid':
      return fc.uuid()
    case 'fixed':
      return fc.uint8Array({ minLength: type.length, maxLength: type.length })
    case 'binary':
      return fc.uint8Array({ maxLength: 20 })
    default:
      throw new Error(`no arbitrary values of ${typeToString(type)}`)
  }
}

/** Instants within 300 years of 1970, and many within hours of it. */
function instants(unitsPerSecond: bigint): fc.Arbitrary<bigint> {
  const hours = 3n * 3600n * unitsPerSecond
  const years = 292n * 365n * 86_400n * unitsPerSecond
  return fc.oneof(fc.bigInt({ min: -hours, max: hours }), fc.bigInt({ min: -years, max: years }))
}

export const comparableTypes: readonly PrimitiveType[] = [
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
  { kind: 'timestamptz_ns' },
  { kind: 'string' },
  { kind: 'uuid' },
  { kind: 'binary' },
  { kind: 'fixed', length: 3 },
  { kind: 'decimal', precision: 9, scale: 2 },
  { kind: 'decimal', precision: 38, scale: 10 },
]
