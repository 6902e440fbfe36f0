import type { PrimitiveType } from '@floe/iceberg'
import type { SourceType } from '../source/source-type.ts'
import type { TypePolicy } from './type-policy.ts'
import type { ScalarWire } from './wire-type.ts'

/** How the values of one scalar type travel and what they become. */
export type ScalarMapping = {
  readonly type: PrimitiveType
  readonly wire: ScalarWire
  /** The SQL of the value, or of a whole array of them; `undefined` takes the column as it is. */
  readonly cast?: (expression: string, list: boolean) => string
}

const decimalPrecisionMax = 38
const string = { kind: 'string' } as const
const asIs: ScalarMapping = { type: string, wire: { kind: 'text' } }

export const textMapping: ScalarMapping = {
  ...asIs,
  cast: (expression, list) => `${expression}::text${list ? '[]' : ''}`,
}

/** Types whose binary form Floe decodes. */
const decoded: Readonly<Record<string, ScalarMapping>> = {
  bool: { type: { kind: 'boolean' }, wire: { kind: 'bool' } },
  int2: { type: { kind: 'int' }, wire: { kind: 'int2' } },
  int4: { type: { kind: 'int' }, wire: { kind: 'int4' } },
  int8: { type: { kind: 'long' }, wire: { kind: 'int8' } },
  oid: { type: { kind: 'long' }, wire: { kind: 'oid' } },
  float4: { type: { kind: 'float' }, wire: { kind: 'float4' } },
  float8: { type: { kind: 'double' }, wire: { kind: 'float8' } },
  text: asIs,
  varchar: asIs,
  bpchar: asIs,
  name: asIs,
  json: asIs,
  jsonb: { type: string, wire: { kind: 'jsonb' } },
  bytea: { type: { kind: 'binary' }, wire: { kind: 'bytea' } },
  uuid: { type: { kind: 'uuid' }, wire: { kind: 'uuid' } },
  date: { type: { kind: 'date' }, wire: { kind: 'date' } },
  time: { type: { kind: 'time' }, wire: { kind: 'time' } },
  timestamp: { type: { kind: 'timestamp' }, wire: { kind: 'timestamp' } },
  timestamptz: { type: { kind: 'timestamptz' }, wire: { kind: 'timestamp' } },
}

/** A cast to text adds the mask to single hosts (`10.0.0.1/32`); the type's output, which users see, does not. */
const inet: ScalarMapping = {
  ...asIs,
  cast: (expression, list) =>
    list ? `${expression}::text::text[]` : `pg_catalog.textin(pg_catalog.inet_out(${expression}))`,
}

/** Its binary form counts units that depend on the server's locale; as numeric it does not. */
const money: ScalarMapping = {
  type: { kind: 'decimal', precision: 19, scale: 2 },
  wire: { kind: 'numeric', precision: 19, scale: 2 },
  cast: (expression, list) => `${expression}::numeric${list ? '[]' : ''}`,
}

/** The mapping of a type without parts, or `undefined` where the choice does not fit it. */
export function mapScalar(
  type: Extract<SourceType, { kind: 'base' | 'enum' }>,
  choice: TypePolicy['as'],
): ScalarMapping | undefined {
  if (choice?.kind === 'double' || choice?.kind === 'decimal') return mapChosenNumber(type, choice)
  if (choice !== undefined) return undefined
  if (type.kind === 'enum') return asIs
  // Types of extensions, and those without a send function: every type has a text form.
  if (type.schema !== 'pg_catalog') return textMapping
  if (type.name === 'money') return money
  if (type.name === 'inet') return inet
  if (type.name === 'numeric') return mapNumeric(type.typmod)
  return decoded[type.name] ?? textMapping
}

/**
 * typmod holds precision in the upper half and the scale, an 11-bit signed number since PostgreSQL 15, in the lower.
 * Iceberg's scale lies between 0 and the precision: `numeric(3,-2)` becomes decimal(5,0), `numeric(2,4)` decimal(4,4).
 */
function mapNumeric(typmod: number): ScalarMapping {
  if (typmod < 0) return textMapping
  const packed = typmod - 4
  const declaredScale = ((packed & 0x7ff) ^ 1024) - 1024
  const declaredPrecision = (packed >> 16) & 0xffff
  const scale = Math.max(declaredScale, 0)
  const precision = Math.max(declaredPrecision + Math.max(-declaredScale, 0), scale)
  return precision > decimalPrecisionMax ? textMapping : decimal(precision, scale)
}

function decimal(precision: number, scale: number): ScalarMapping {
  return { type: { kind: 'decimal', precision, scale }, wire: { kind: 'numeric', precision, scale } }
}

const numbers = new Set(['numeric', 'money', 'int2', 'int4', 'int8', 'float4', 'float8'])

function mapChosenNumber(
  type: SourceType,
  choice: Extract<TypePolicy['as'], { kind: 'double' | 'decimal' }>,
): ScalarMapping | undefined {
  if (type.kind !== 'base' || type.schema !== 'pg_catalog' || !numbers.has(type.name)) return undefined
  // money casts to numeric only.
  const through = (list: boolean): string => (type.name === 'money' ? `::numeric${list ? '[]' : ''}` : '')
  if (choice.kind === 'double') {
    const cast = (expression: string, list: boolean): string =>
      `${expression}${through(list)}::float8${list ? '[]' : ''}`
    return { type: { kind: 'double' }, wire: { kind: 'float8' }, cast }
  }
  const { precision, scale, round = false } = choice
  const valid =
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    precision >= 1 &&
    scale >= 0 &&
    scale <= precision
  if (!valid || precision > decimalPrecisionMax) return undefined
  const rounded = `::numeric(${precision},${scale})`
  const cast = (expression: string, list: boolean): string =>
    `${expression}${through(list)}${round ? rounded : '::numeric'}${list ? '[]' : ''}`
  return { ...decimal(precision, scale), cast }
}
