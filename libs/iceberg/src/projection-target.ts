import type { Transform } from './transform.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

/** What a predicate is projected to: one partition field over one source column. */
export type ProjectionTarget = {
  readonly transform: Transform
  /** Of the source column. */
  readonly type: PrimitiveType
  readonly fieldId: number
  /** The field's transform of a value that is not null. */
  readonly apply: (value: PrimitiveValue) => PrimitiveValue
}
