import type { PrimitiveValue } from './type.ts'

/** A column by dotted name or by field id. */
export type Reference =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'id'; readonly fieldId: number }

export type UnaryOperator = 'is-null' | 'not-null' | 'is-nan' | 'not-nan'
export type LiteralOperator = 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq' | 'starts-with' | 'not-starts-with'
export type SetOperator = 'in' | 'not-in'

/**
 * Iceberg's filter expression, before or after binding. Unbound literals may be in any value form that converts to the
 * column's type; `bindExpression` returns the same shape with `id` references and literals converted to `PrimitiveValue`.
 */
export type Expression =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly child: Expression }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly reference: Reference }
  | {
      readonly kind: 'literal'
      readonly operator: LiteralOperator
      readonly reference: Reference
      readonly value: PrimitiveValue
    }
  | {
      readonly kind: 'set'
      readonly operator: SetOperator
      readonly reference: Reference
      readonly values: readonly PrimitiveValue[]
    }
