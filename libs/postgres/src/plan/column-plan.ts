import { FloeError } from '@floe/iceberg'
import type { Type } from '@floe/iceberg'
import { quoteIdentifier, quoteRelation } from '../source/relation-name.ts'
import type { SourceColumn, SourceTable } from '../source/source-table.ts'
import type { SourceType } from '../source/source-type.ts'
import { mapScalar } from './type-mapping.ts'
import type { ScalarMapping } from './type-mapping.ts'
import { makesNulls, resolvePolicy, typePolicyHint } from './type-policy.ts'
import type { ResolvedPolicy, TypePolicies, TypePolicy } from './type-policy.ts'
import type { Wire } from './wire-type.ts'

/** How one column is read and what it becomes. Plain data: it crosses threads. */
export type ColumnPlan = {
  readonly attnum: number
  readonly name: string
  /** Given to the leaf of a scalar column; the leaf of a list has the list's `elementId`. 1-based positions until replaced. */
  readonly fieldId: number
  readonly type: Type
  readonly required: boolean
  readonly doc?: string
  /** The SQL select item: `"c"`, or `"c"::text` where the server casts. */
  readonly select: string
  readonly wire: Wire
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
  const firstElementId = columns.length + 1
  return columns.map((column, index) =>
    planColumn(table, column, index + 1, firstElementId + index, policies),
  )
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
  elementId: number,
  policies: TypePolicies,
): ColumnPlan {
  const policy = resolvePolicy(policies, column.name)
  const choice = policies.columns?.[column.name]?.as
  const { mapping, list } = mapType(table, column, choice)
  const expression = quoteIdentifier(column.name)
  return {
    attnum: column.attnum,
    name: column.name,
    fieldId,
    type: list ? { kind: 'list', elementId, element: mapping.type, elementRequired: false } : mapping.type,
    required: !column.nullable && (list || !makesNulls(policy)),
    ...(column.comment === undefined ? {} : { doc: column.comment }),
    select: mapping.cast?.(expression, list) ?? expression,
    wire: { scalar: mapping.wire, list },
    policy,
  }
}

/** `as: text` of an array makes one text of the whole value: the way out for more than one dimension. */
function mapType(
  table: SourceTable,
  column: SourceColumn,
  choice: TypePolicy['as'],
): { mapping: ScalarMapping; list: boolean } {
  const { type } = column
  const scalar: SourceType = type.kind === 'array' ? type.element : type
  const list = type.kind === 'array' && choice?.kind !== 'text'
  const mapping = scalar.kind === 'array' ? undefined : mapScalar(scalar, choice)
  if (mapping === undefined) throw unsupportedColumn(table, column, choice)
  return { mapping, list }
}

function unsupportedColumn(table: SourceTable, column: SourceColumn, choice: TypePolicy['as']): FloeError {
  const where = `column ${quoteIdentifier(column.name)} of ${quoteRelation(table)}`
  const asText = `${typePolicyHint(`${table.schema}.${table.name}.${column.name}`, 'as: text')} to load its text form`
  if (choice !== undefined && choice.kind !== 'text') {
    return new FloeError(
      'unsupported',
      `${where}: type ${column.typeName} cannot be read as ${describeChoice(choice)}`,
      {
        hint: 'double and decimal (precision 1 to 38, scale up to the precision) are for number types',
      },
    )
  }
  const hint =
    column.type.kind === 'pseudo' ? 'pseudo-types cannot be loaded: leave the column out with a view' : asText
  return new FloeError('unsupported', `${where}: type ${column.typeName} has no Iceberg type`, { hint })
}

function describeChoice(choice: NonNullable<TypePolicy['as']>): string {
  return choice.kind === 'decimal' ? `decimal(${choice.precision},${choice.scale})` : choice.kind
}
