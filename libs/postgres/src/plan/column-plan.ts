import { assignFreshIds, FloeError } from '@floe/iceberg/values'
import type { Type } from '@floe/iceberg'
import { quoteIdentifier, quoteRelation } from '../source/relation-name.ts'
import type { SourceColumn, SourceTable } from '../source/source-table.ts'
import { mapType } from './type-mapping.ts'
import { resolvePolicy, typePolicyHint } from './type-policy.ts'
import type { ResolvedPolicy, TypeChoice, TypePolicies } from './type-policy.ts'
import type { Wire } from './wire-type.ts'

/** How one column is read and what it becomes. Plain data: it crosses threads. */
export type ColumnPlan = {
  readonly attnum: number
  readonly name: string
  /** Given to the leaf of a scalar column; leaves of others have the ids in `type`. 1-based positions until replaced. */
  readonly fieldId: number
  readonly type: Type
  readonly required: boolean
  readonly doc?: string
  /** The SQL select item: `"c"`, or `"c"::text` where the server casts. */
  readonly select: string
  readonly wire: Wire
  /** The function that makes the wire's bytes of a column with parts, for readers that get text; quoted SQL. */
  readonly send?: string
  readonly policy: ResolvedPolicy
}

/**
 * One plan for each column, in the table's order.
 * @throws unsupported, naming the column, its type and the way to choose another
 * @throws invalid-input for a policy of a column that the table does not have
 */
export function planColumns(table: SourceTable, policies: TypePolicies = {}): readonly ColumnPlan[] {
  const { columns } = table
  if (columns.length === 0) {
    throw new FloeError('unsupported', `${quoteRelation(table)} has no columns`, {
      hint: 'add a column or leave the table out',
    })
  }
  checkPolicies(table, policies)
  const planned = columns.map((column, index) => planColumn(table, column, index + 1, policies))
  // Ids of nested fields follow those of the columns.
  let id = 0
  const { schema } = assignFreshIds(
    { schemaId: 0, fields: planned.map((plan) => ({ ...plan, id: plan.fieldId })) },
    () => ++id,
  )
  return planned.map((plan, index) => ({ ...plan, type: schema.fields[index]?.type ?? plan.type }))
}

function checkPolicies(table: SourceTable, { columns = {} }: TypePolicies): void {
  const names = new Set(table.columns.map(({ name }) => name))
  const unknown = Object.keys(columns).find((name) => !names.has(name))
  if (unknown === undefined) return
  throw new FloeError(
    'invalid-input',
    `${quoteRelation(table)} has no column ${quoteIdentifier(unknown)} for its type policy`,
    {
      hint: `columns: ${[...names].join(', ')}`,
    },
  )
}

function planColumn(
  table: SourceTable,
  column: SourceColumn,
  fieldId: number,
  policies: TypePolicies,
): ColumnPlan {
  const policy = resolvePolicy(policies, column.name)
  const choice = policies.columns?.[column.name]?.as
  const mapping = mapType(column.type, choice)
  if (mapping === undefined) throw unsupportedColumn(table, column, choice)
  const { type, wire, send, cast } = mapping
  const expression = quoteIdentifier(column.name)
  return {
    attnum: column.attnum,
    name: column.name,
    fieldId,
    type,
    required: !column.nullable && !makesNulls(wire, policy),
    ...(column.comment === undefined ? {} : { doc: column.comment }),
    select: cast?.(expression, false) ?? expression,
    wire,
    ...(send === undefined ? {} : { send }),
    policy,
  }
}

/** True when a whole value of the column may become null; parts of a value are nullable anyway. */
function makesNulls({ kind }: Wire, { infinity, nan, outOfRange, dimensions }: ResolvedPolicy): boolean {
  if (kind === 'list') return dimensions === 'null'
  if (kind === 'struct' || kind === 'hstore') return false
  return infinity === 'null' || nan === 'null' || outOfRange === 'null'
}

function unsupportedColumn(
  table: SourceTable,
  column: SourceColumn,
  choice: TypeChoice | undefined,
): FloeError {
  const where = `column ${quoteIdentifier(column.name)} of ${quoteRelation(table)}`
  const asText = `${typePolicyHint(`${table.schema}.${table.name}.${column.name}`, 'as: text')} to load its text form`
  if (choice !== undefined && choice.kind !== 'text' && choice.kind !== 'json') {
    return new FloeError(
      'unsupported',
      `${where}: type ${column.typeName} cannot be read as ${describeChoice(choice)}`,
      { hint: choiceHints[choice.kind] },
    )
  }
  const hint =
    column.type.kind === 'pseudo' ? 'pseudo-types cannot be loaded: leave the column out with a view' : asText
  return new FloeError('unsupported', `${where}: type ${column.typeName} has no Iceberg type`, { hint })
}

const numberHint =
  'double and decimal (precision 1 to 38, scale up to the precision) are for number types and arrays of them'
const choiceHints: Readonly<Record<Exclude<TypeChoice['kind'], 'text' | 'json'>, string>> = {
  double: numberHint,
  decimal: numberHint,
  struct: 'struct is for ranges, multiranges and arrays of them',
  list: 'list(1) to list(6) are for arrays; list(1) alone for arrays whose elements have to be cast',
}

function describeChoice(choice: TypeChoice): string {
  if (choice.kind === 'decimal') return `decimal(${choice.precision},${choice.scale})`
  return choice.kind === 'list' ? `list(${choice.dimensions})` : choice.kind
}
