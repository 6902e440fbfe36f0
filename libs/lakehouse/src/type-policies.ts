import type { TableTypePolicies } from '@floe/etl'
import { z } from 'zod'

type TypePolicy = NonNullable<TableTypePolicies['columns']>[string]
type TypeChoice = NonNullable<TypePolicy['as']>

/** YAML reads a bare null as nothing: both spellings mean that the value becomes null. */
const valuePolicy = z.preprocess(
  (value) => (value === null ? 'null' : value),
  z.enum(['error', 'null', 'clamp']),
)
const nanPolicy = z.preprocess((value) => (value === null ? 'null' : value), z.enum(['error', 'null']))

const dimensionsPolicy = z.preprocess(
  (value) => (value === null ? 'null' : value),
  z.enum(['error', 'null', 'flatten']),
)

const choice = z.string().transform((text, context): TypeChoice => {
  if (text === 'text' || text === 'double' || text === 'json' || text === 'struct') return { kind: text }
  const dimensions = /^list\((\d+)\)$/.exec(text)?.[1]
  if (dimensions !== undefined) return { kind: 'list', dimensions: Number(dimensions) }
  const [, precision, scale, round] = /^decimal\((\d+),\s*(\d+)\)(\s+round)?$/.exec(text) ?? []
  if (precision !== undefined && scale !== undefined) {
    const decimal = { kind: 'decimal', precision: Number(precision), scale: Number(scale) } as const
    return round === undefined ? decimal : { ...decimal, round: true }
  }
  context.addIssue({
    code: 'custom',
    message: 'write text, json, struct, list(2), double, decimal(38,4) or decimal(38,4) round',
  })
  return z.NEVER
})

const values = {
  infinity: valuePolicy.optional(),
  nan: nanPolicy.optional(),
  outOfRange: valuePolicy.optional(),
  dimensions: dimensionsPolicy.optional(),
}

/** Policies of one table's columns, by their names. */
export const columnPolicies: z.ZodType<NonNullable<TableTypePolicies['columns']>> = z
  .record(z.string(), z.strictObject({ as: choice.optional(), ...values }))
  .transform((parsed) => JSON.parse(JSON.stringify(parsed)) as NonNullable<TableTypePolicies['columns']>)

/**
 * What becomes of types and values that Iceberg does not have: `types` in `floe.config.yaml`, with columns named
 * `schema.table.column`.
 */
export const typePolicies: z.ZodType<TableTypePolicies> = z
  .strictObject({
    default: z.strictObject(values).optional(),
    columns: columnPolicies.optional(),
  })
  // Through JSON, which leaves out members that were not set.
  .transform((parsed) => JSON.parse(JSON.stringify(parsed)) as TableTypePolicies)
