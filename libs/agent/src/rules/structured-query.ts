import type { ColumnReference, ForeignKey, TableModel } from './semantic-model.ts'

export type AggregateName = 'sum' | 'avg' | 'min' | 'max' | 'median'

export type Measure =
  | { readonly kind: 'count' }
  | { readonly kind: 'count-distinct'; readonly column: ColumnReference }
  | { readonly kind: 'aggregate'; readonly name: AggregateName; readonly column: ColumnReference }

export type Grain = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | 'weekday' | 'hour of day'

export type Group =
  | { readonly kind: 'column'; readonly column: ColumnReference }
  | { readonly kind: 'grain'; readonly grain: Grain; readonly column: ColumnReference }

/** Literals before the column's type is known to SQL; times are milliseconds since the epoch, UTC. */
export type Literal =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'boolean'; readonly value: boolean }

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

export type Filter =
  | {
      readonly kind: 'compare'
      readonly column: ColumnReference
      readonly operator: Comparison
      readonly value: Literal
    }
  | {
      readonly kind: 'in'
      readonly column: ColumnReference
      readonly negated: boolean
      readonly values: readonly Literal[]
    }
  | {
      readonly kind: 'between'
      readonly column: ColumnReference
      readonly low: Literal
      readonly high: Literal
    }
  | { readonly kind: 'null'; readonly column: ColumnReference; readonly negated: boolean }
  | {
      readonly kind: 'text'
      readonly column: ColumnReference
      readonly match: 'contains' | 'starts_with' | 'ends_with'
      readonly text: string
      readonly negated: boolean
    }
  /** From inclusive, to exclusive; either may be open. */
  | {
      readonly kind: 'period'
      readonly column: ColumnReference
      readonly fromMs?: number
      readonly toMs?: number
      readonly label: string
    }
  | {
      readonly kind: 'month-of-year'
      readonly column: ColumnReference
      readonly month: number
      readonly label: string
    }
  /** Values whose column the data must tell, or whose spelling it may correct. */
  | {
      readonly kind: 'value'
      /** Any of these; each is the words of one value, or of several in a row. */
      readonly alternatives: readonly (readonly ValueSpan[])[]
      readonly column?: ColumnReference
      /** Only columns of the table that this key refers to. */
      readonly through?: ForeignKey
      readonly preposition?: string
      readonly negated: boolean
      /** Where the clause starts in the question, its preposition included. */
      readonly start: number
    }

/** A word of the question that is a value or a part of one, as written. */
export type ValueSpan = { readonly text: string; readonly start: number; readonly end: number }

type OrderTarget =
  | { readonly kind: 'measure' }
  | { readonly kind: 'group' }
  | { readonly kind: 'column'; readonly column: ColumnReference }

export type QueryOrder = { readonly target: OrderTarget; readonly direction: 'ASC' | 'DESC' }

/** What a question means, before any SQL: one table, measures by groups or plain rows, filters, order, limit. */
export type StructuredQuery = {
  readonly table: TableModel
  readonly measures: readonly Measure[]
  readonly groups: readonly Group[]
  /** Without measures: the columns of plain rows, all when empty. */
  readonly projection: readonly ColumnReference[]
  readonly distinct: boolean
  readonly filters: readonly Filter[]
  readonly order?: QueryOrder
  readonly limit?: number
}
