import type { NestedField } from './type.ts'

export type Schema = {
  readonly schemaId: number
  readonly fields: readonly NestedField[]
  readonly identifierFieldIds?: readonly number[]
}
