/** How a scalar looks in COPY BINARY (PostgreSQL's `*_send` functions), and with it which decoder reads it. */
export type ScalarWire =
  | { readonly kind: 'bool' | 'int2' | 'int4' | 'int8' | 'oid' | 'float4' | 'float8' }
  | { readonly kind: 'date' | 'time' | 'timestamp' | 'uuid' }
  /** Text in UTF-8 as it is; `jsonb` has one version byte before it. */
  | { readonly kind: 'text' | 'bytea' | 'jsonb' }
  /** Precision and scale of the Iceberg decimal that it becomes. */
  | { readonly kind: 'numeric'; readonly precision: number; readonly scale: number }

/** Values of more than one leaf, or of any number of them. */
export type NestedWire =
  /** `array_send`: an Iceberg list, in each other as many as there are dimensions. */
  | { readonly kind: 'list'; readonly dimensions: number; readonly element: Wire }
  /** `record_send`: an Iceberg struct. */
  | { readonly kind: 'struct'; readonly fields: readonly Wire[] }
  /** `interval_send`: microseconds, days, months. */
  | { readonly kind: 'interval' }
  /** `hstore_send`: a map of strings. */
  | { readonly kind: 'hstore' }

export type Wire = ScalarWire | NestedWire

export function isScalarWire(wire: Wire): wire is ScalarWire {
  return !['list', 'struct', 'interval', 'hstore'].includes(wire.kind)
}

/** The scalars of a value, in the order of its type's leaves. */
export function scalarWires(wire: Wire): readonly ScalarWire[] {
  switch (wire.kind) {
    case 'list':
      return scalarWires(wire.element)
    case 'struct':
      return wire.fields.flatMap(scalarWires)
    case 'interval':
      return [{ kind: 'int4' }, { kind: 'int4' }, { kind: 'int8' }]
    case 'hstore':
      return [{ kind: 'text' }, { kind: 'text' }]
    default:
      return [wire]
  }
}

/** Highest precision that Iceberg stores in 32 and in 64 bits. */
export const int32PrecisionMax = 9
export const int64PrecisionMax = 18
