import type { JsonValue } from './json.ts'

/** Spec "Primitive Types" without parameters. `variant` is a leaf here: its shredding is the file format's business. */
export type SimpleKind =
  | 'unknown'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'timestamp_ns'
  | 'timestamptz_ns'
  | 'string'
  | 'uuid'
  | 'binary'
  | 'variant'

export type PrimitiveType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'fixed'; readonly length: number }
  | { readonly kind: 'geometry'; readonly crs?: string }
  | { readonly kind: 'geography'; readonly crs?: string; readonly algorithm?: string }

export type NestedField = {
  readonly id: number
  readonly name: string
  readonly type: Type
  readonly required: boolean
  readonly doc?: string
  /** JSON single-value form (spec Appendix D). */
  readonly initialDefault?: JsonValue
  readonly writeDefault?: JsonValue
}
export type StructType = { readonly kind: 'struct'; readonly fields: readonly NestedField[] }
export type ListType = {
  readonly kind: 'list'
  readonly elementId: number
  readonly element: Type
  readonly elementRequired: boolean
}
export type MapType = {
  readonly kind: 'map'
  readonly keyId: number
  readonly key: Type
  readonly valueId: number
  readonly value: Type
  readonly valueRequired: boolean
}
export type NestedType = StructType | ListType | MapType
export type Type = PrimitiveType | NestedType

/**
 * A value of a primitive type, as every module of Floe holds it:
 * boolean -> boolean; int, date (days) -> number; long, time and timestamps (micros, or nanos for *_ns) -> bigint;
 * float, double -> number; decimal -> bigint (unscaled, the scale is the type's); string -> string;
 * uuid -> lower-case string with dashes; fixed, binary, variant, geometry, geography -> Uint8Array.
 */
export type PrimitiveValue = boolean | number | bigint | string | Uint8Array
