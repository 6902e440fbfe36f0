import type { Expression } from './expression.ts'
import type { PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'

export type Projection = (bound: Expression, spec: PartitionSpec, schema: Schema) => Expression

/**
 * The same projection, computed once per filter, spec and schema: planning asks for it at every file, and all three are
 * immutable values that live as long as the plan.
 */
export function memoizeProjection(project: Projection): Projection {
  const byFilter = new WeakMap<Expression, WeakMap<PartitionSpec, WeakMap<Schema, Expression>>>()
  return (bound, spec, schema) => {
    const bySpec = byFilter.get(bound) ?? new WeakMap<PartitionSpec, WeakMap<Schema, Expression>>()
    const bySchema = bySpec.get(spec) ?? new WeakMap<Schema, Expression>()
    const known = bySchema.get(schema)
    if (known !== undefined) return known
    const projected = project(bound, spec, schema)
    byFilter.set(bound, bySpec.set(spec, bySchema.set(schema, projected)))
    return projected
  }
}
