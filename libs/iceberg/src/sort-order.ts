import type { Transform } from './transform.ts'

export type SortField = {
  readonly sourceIds: readonly number[]
  readonly transform: Transform
  readonly direction: 'asc' | 'desc'
  readonly nullOrder: 'nulls-first' | 'nulls-last'
}
export type SortOrder = { readonly orderId: number; readonly fields: readonly SortField[] }
