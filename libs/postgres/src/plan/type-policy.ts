/** What happens to a value that the Iceberg type cannot hold. Every value touched is counted in `ReadStats`. */
export type ValuePolicy = 'error' | 'null' | 'clamp'

/** Another type than the one that the source's type has by default. */
export type TypeChoice =
  /** The server's text, or its JSON, of the whole value. */
  | { readonly kind: 'text' | 'json' }
  | { readonly kind: 'double' }
  /** Checked, or rounded (`round`) to the scale. */
  | {
      readonly kind: 'decimal'
      readonly precision: number
      readonly scale: number
      readonly round?: boolean
    }
  /** Ranges as lower, upper and flags; multiranges as a list of those. */
  | { readonly kind: 'struct' }
  /** Arrays of so many dimensions, as lists in lists. */
  | { readonly kind: 'list'; readonly dimensions: number }

export type TypePolicy = {
  /** Overrides the type: the server casts that column alone. */
  readonly as?: TypeChoice
  /** `infinity` and `-infinity` of dates, timestamps, intervals and numerics; clamped to the end of the type's range. Default error. */
  readonly infinity?: ValuePolicy
  /** `NaN` of numerics, which has no nearest value. Default error. */
  readonly nan?: 'error' | 'null'
  /** Years before 1 or after 9999, the time 24:00, numerics of too many digits. Default error. */
  readonly outOfRange?: ValuePolicy
  /** Arrays of other dimensions than the column's list has: `flatten` makes one list of them. Default error. */
  readonly dimensions?: DimensionsPolicy
}

export type DimensionsPolicy = 'error' | 'null' | 'flatten'

/** Policies of all columns, and of single ones by name, which win member by member. */
export type TypePolicies = {
  readonly default?: Omit<TypePolicy, 'as'>
  readonly columns?: Readonly<Record<string, TypePolicy>>
}

/** The policies of one column with every default filled in. */
export type ResolvedPolicy = {
  readonly infinity: ValuePolicy
  readonly nan: 'error' | 'null'
  readonly outOfRange: ValuePolicy
  readonly dimensions: DimensionsPolicy
}

export function resolvePolicy(policies: TypePolicies, column: string): ResolvedPolicy {
  const {
    infinity = 'error',
    nan = 'error',
    outOfRange = 'error',
    dimensions = 'error',
  } = { ...policies.default, ...policies.columns?.[column] }
  return { infinity, nan, outOfRange, dimensions }
}

/** How a user sets the policy of one column, for the hints of errors. A bare column name gets its table by ellipsis. */
export function typePolicyHint(column: string, policy: string): string {
  const name = column.includes('.') ? column : `<schema>.<table>.${column}`
  return `set in floe.config.yaml: types: { columns: { "${name}": { ${policy} } } }`
}
