import { checkMask, fieldsOf } from '@floe/catalog'
import type { ColumnMask, LoadedTable } from '@floe/catalog'
import { bindExpression, FloeError, mapPredicates } from '@floe/iceberg'
import type { Expression, NestedField, Schema } from '@floe/iceberg'
import type { MetadataTableName } from '@floe/planner'

import { maskSql } from './column-mask.ts'
import { rowFilterSql } from './row-filter-sql.ts'
import { fieldInHistory } from './scan-group.ts'
import { duckdbType } from './sql-text.ts'

/** What one scan may show, checked against the version that it reads. */
export type ScanRestrictions = {
  /** Over unmasked values, bound to field ids. */
  readonly rowFilter: Expression
  /** Columns of the filter that the version does not show. */
  readonly hiddenFields: readonly NestedField[]
  readonly masks: ReadonlyMap<number, ColumnMask>
}

/**
 * The restrictions of a table for one version of it. Whatever cannot be enforced fails, so that nothing is shown by
 * mistake; a mask of a column that the version does not have has nothing to hide.
 * @throws FloeError unsupported
 */
export function restrictScan(
  { readRestrictions, metadata }: LoadedTable,
  schema: Schema,
): ScanRestrictions | undefined {
  if (readRestrictions === undefined) return undefined
  const { rowFilter = { kind: 'true' }, masks } = readRestrictions
  const shown = new Set(schema.fields.map(({ id }) => id))
  const hiddenIds = [...new Set(fieldsOf(rowFilter))].filter((id) => !shown.has(id))
  const shownMasks = masks.filter(({ fieldId }) => shown.has(fieldId))
  for (const mask of shownMasks) checkEnforceable(mask, schema)
  const hiddenFields = hiddenIds.map((id) => fieldInHistory(id, metadata))
  return {
    rowFilter: bindToVersion(rowFilter, { ...schema, fields: [...schema.fields, ...hiddenFields] }),
    hiddenFields,
    masks: new Map(shownMasks.map((mask) => [mask.fieldId, mask])),
  }
}

/** Those that tell of versions alone: all others show values, bounds or counts of what may be hidden. */
const openMetadataTables: ReadonlySet<MetadataTableName | 'changes'> = new Set([
  'snapshots',
  'history',
  'refs',
  'metadata_log_entries',
  'properties',
])

/** @throws FloeError permission-denied for a metadata table that shows more than the asker may see of the table */
export function checkMetadataTable(
  name: MetadataTableName | 'changes',
  { identifier, readRestrictions }: LoadedTable,
): void {
  if (readRestrictions === undefined || openMetadataTables.has(name)) return
  const table = [...identifier.namespace, identifier.name].join('.')
  throw new FloeError(
    'permission-denied',
    `only parts of ${table} may be seen, and ${table}$${name} tells of all of it`,
    {
      hint: `of its metadata tables these may be read: ${[...openMetadataTables].join(', ')}`,
    },
  )
}

/** Columns of an older version may have narrower types. */
function bindToVersion(rowFilter: Expression, schema: Schema): Expression {
  try {
    return bindExpression(rowFilter, schema)
  } catch (error) {
    throw new FloeError('unsupported', 'the row filter of a table does not fit the version that is read', {
      hint: 'whoever manages the table should set another row filter',
      cause: error,
    })
  }
}

function checkEnforceable(mask: ColumnMask, schema: Schema): void {
  try {
    checkMask(mask, schema)
  } catch (error) {
    throw new FloeError('unsupported', 'a column mask of a table does not fit its column any more', {
      hint: 'whoever manages the table should set another mask',
      cause: error,
    })
  }
}

/** What of the row filter prunes files: columns that the schema does not show cannot, so their tests count as true. */
export function pruningFilter({ rowFilter }: ScanRestrictions, schema: Schema): Expression {
  const shown = new Set(schema.fields.map(({ id }) => id))
  return mapPredicates(rowFilter, (predicate) =>
    predicate.reference.kind === 'id' && shown.has(predicate.reference.fieldId)
      ? predicate
      : { kind: 'true' },
  )
}

/** Rows that one may reach through a LIMIT which is no limit. */
const noLimit = 2n ** 63n - 1n

/**
 * The columns of `rows` as one may see them: filtered first, then masked (spec `ReadRestrictions`). DuckDB moves no
 * condition of a query below a LIMIT. Without it, one that fails on certain values, such as a division by zero, would
 * tell of rows that the filter hides, and would be asked before the mask.
 * @param saltHex  random bytes of this query, in hex
 */
export function restrictedSql(
  rows: string,
  restrictions: ScanRestrictions,
  { fields }: Schema,
  saltHex: string,
): string {
  const { rowFilter, hiddenFields, masks } = restrictions
  const columns = fields.map((field) => {
    const mask = masks.get(field.id)
    const column = `c${field.id}`
    return mask === undefined
      ? column
      : `CAST(${maskSql(mask.action, column, field, saltHex)} AS ${duckdbType(field.type)}) AS ${column}`
  })
  const filter = rowFilterSql(rowFilter, [...fields, ...hiddenFields])
  return `SELECT ${columns.join(', ')} FROM (${rows}) WHERE ${filter} LIMIT ${noLimit}`
}
