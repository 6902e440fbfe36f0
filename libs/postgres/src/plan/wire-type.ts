/** How a value looks in COPY BINARY (PostgreSQL's `*_send` functions), and with it which decoder reads it. */
export type ScalarWire =
  | { readonly kind: 'bool' | 'int2' | 'int4' | 'int8' | 'oid' | 'float4' | 'float8' }
  | { readonly kind: 'date' | 'time' | 'timestamp' | 'uuid' }
  /** Text in UTF-8 as it is; `jsonb` has one version byte before it. */
  | { readonly kind: 'text' | 'bytea' | 'jsonb' }
  /** Precision and scale of the Iceberg decimal that it becomes. */
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }

/** A scalar, or a one-dimensional array of it. */
export type Wire = { readonly scalar: ScalarWire; readonly list: boolean }

/** Highest precision that Iceberg stores in 32 and in 64 bits. */
export const int32PrecisionMax = 9
export const int64PrecisionMax = 18
