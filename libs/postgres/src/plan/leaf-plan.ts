import { leafFields } from '@floe/iceberg/values'
import type { PrimitiveType } from '@floe/iceberg'
import type { ColumnPlan } from './column-plan.ts'
import type { ResolvedPolicy } from './type-policy.ts'
import { isScalarWire, scalarWires } from './wire-type.ts'
import type { ScalarWire } from './wire-type.ts'

/** One leaf of a column: what one buffer of the decoder holds. */
export type LeafPlan = {
  /** The column's: policies and messages are about whole columns. */
  readonly name: string
  readonly fieldId: number
  readonly type: PrimitiveType
  readonly wire: ScalarWire
  readonly policy: ResolvedPolicy
  /** A column that is this leaf alone: its row is its place, and nulls are the exception. */
  readonly isFlat: boolean
  /** Inside a list or map. */
  readonly isRepeated: boolean
  /** Definition level of a value that is there. */
  readonly definitionMax: number
}

/** The leaves of a column, depth first. */
export function leafPlans(plan: ColumnPlan): readonly LeafPlan[] {
  const { fieldId, name, type, required, wire, policy } = plan
  const wires = scalarWires(wire)
  const leaves = leafFields({ schemaId: 0, fields: [{ id: fieldId, name, type, required }] })
  return leaves.map(({ field, maxDefinitionLevel, maxRepetitionLevel }, index) => ({
    name,
    fieldId: field.id,
    type: field.type,
    wire: wires[index] as ScalarWire,
    policy,
    isFlat: isScalarWire(wire),
    isRepeated: maxRepetitionLevel > 0,
    definitionMax: maxDefinitionLevel,
  }))
}
