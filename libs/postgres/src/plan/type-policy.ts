/** What happens to a value that the Iceberg type cannot hold. Every value touched is counted in `ReadStats`. */
export type ValuePolicy = 'error' | 'null' | 'clamp'

export type TypePolicy = {
  /** Overrides the type: the server casts that column alone, or rounds it (`round`) to the decimal's scale. */
  readonly as?:
    | { readonly kind: 'text' }
    | { readonly kind: 'double' }
    | {
        readonly kind: 'decimal'
        readonly precision: number
        readonly scale: number
        readonly round?: boolean
      }
  /** `infinity` and `-infinity` of dates, timestamps and numerics; clamped to the end of the type's range. Default error. */
  readonly infinity?: ValuePolicy
  /** `NaN` of numerics, which has no nearest value. Default error. */
  readonly nan?: 'error' | 'null'
  /** Years before 1 or after 9999, the time 24:00, numerics of too many digits. Default error. */
  readonly outOfRange?: ValuePolicy
}

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
}

export function resolvePolicy(policies: TypePolicies, column: string): ResolvedPolicy {
  const {
    infinity = 'error',
    nan = 'error',
    outOfRange = 'error',
  } = { ...policies.default, ...policies.columns?.[column] }
  return { infinity, nan, outOfRange }
}

/** True when a value of the column may become null. */
export function makesNulls({ infinity, nan, outOfRange }: ResolvedPolicy): boolean {
  return infinity === 'null' || nan === 'null' || outOfRange === 'null'
}

/** How a user sets the policy of one column, for the hints of errors. A bare column name gets its table by ellipsis. */
export function typePolicyHint(column: string, policy: string): string {
  const name = column.includes('.') ? column : `<schema>.<table>.${column}`
  return `set in floe.config.yaml: types: { columns: { "${name}": { ${policy} } } }`
}
