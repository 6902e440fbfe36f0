import type { Transform } from './transform.ts'
import type { PrimitiveValue } from './type.ts'

export type PartitionField = {
  /** One id; several for v3 multi-argument transforms; none for a source-less void tombstone. */
  readonly sourceIds: readonly number[]
  readonly fieldId: number
  readonly name: string
  readonly transform: Transform
}
export type PartitionSpec = { readonly specId: number; readonly fields: readonly PartitionField[] }

/** Transformed values in the order of the spec's fields. */
export type Partition = readonly (PrimitiveValue | null)[]
