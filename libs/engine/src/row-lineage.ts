import type { NestedField, Schema, TableMetadata } from '@floe/iceberg'
import { changeFields } from '@floe/planner'

import { isList, isNode, mapMembers, nodes, text, texts, treeNodes } from './sql-tree.ts'
import type { Statement, TreeNode, TreeValue } from './sql-tree.ts'

/** Spec "Reserved Field IDs". */
export const rowIdFieldId = 2147483540
const lastUpdatedFieldId = 2147483539

/** Columns that every row of a v3 table has, though no schema lists them (spec "Row Lineage"). */
const lineageFields: readonly NestedField[] = [
  { id: rowIdFieldId, name: '_row_id', type: { kind: 'long' }, required: false },
  { id: lastUpdatedFieldId, name: '_last_updated_sequence_number', type: { kind: 'long' }, required: false },
]

/** Fields that files may hold for the lineage of their rows. */
export const lineageFieldIds: readonly number[] = lineageFields.map(({ id }) => id)

/** Ids from here on are the spec's own: no manifest has metrics of these columns. */
const reservedFrom = 2147483447

/** Change columns have no metrics either, and the planner knows what they hold without. */
export function isReserved({ id }: NestedField): boolean {
  return id >= reservedFrom && !changeFields.some((field) => field.id === id)
}

export function isLineageField(fieldId: number): boolean {
  return fieldId === rowIdFieldId || fieldId === lastUpdatedFieldId
}

/** Whether a statement names one of the lineage columns: only then are they among the columns of its tables. */
export function namesLineage(statement: Statement): boolean {
  for (const node of treeNodes(statement)) {
    const name =
      node['class'] === 'COLUMN_REF' ? texts(node['column_names']).at(-1)?.toLowerCase() : undefined
    if (lineageFields.some((field) => field.name === name)) return true
  }
  return false
}

export function withLineage(schema: Schema, { formatVersion }: TableMetadata): Schema {
  const own = new Set(schema.fields.map(({ name }) => name.toLowerCase()))
  const missing = lineageFields.filter(({ name }) => !own.has(name))
  return formatVersion < 3 ? schema : { ...schema, fields: [...schema.fields, ...missing] }
}

/**
 * A statement in which `*` leaves the lineage columns out, as it does in other engines.
 * @param isLineageScan  whether a table of the tree has them
 */
export function hideLineage(statement: Statement, isLineageScan: (name: string) => boolean): Statement {
  return hide(statement) as Statement

  function hide(value: TreeValue): TreeValue {
    if (isList(value)) return value.map(hide)
    if (!isNode(value)) return value
    const changed = mapMembers(value, hide)
    if (value['type'] !== 'SELECT_NODE') return changed
    const tables = tablesOf(value['from_table']).filter((table) => isLineageScan(text(table['table_name'])))
    if (tables.length === 0) return changed
    const aliases = new Set(tables.map((table) => text(table['alias']).toLowerCase()))
    const items = nodes(changed['select_list']).map((item) => {
      const relation = text(item['relation_name']).toLowerCase()
      return item['class'] === 'STAR' && (relation === '' || aliases.has(relation))
        ? withoutLineage(item)
        : item
    })
    return { ...changed, select_list: items }
  }
}

/** Tables that a FROM names itself, not those inside of its subqueries. */
function tablesOf(value: TreeValue | undefined): readonly TreeNode[] {
  if (!isNode(value)) return []
  if (value['type'] === 'BASE_TABLE') return [value]
  return value['type'] === 'JOIN' ? [...tablesOf(value['left']), ...tablesOf(value['right'])] : []
}

function withoutLineage(star: TreeNode): TreeNode {
  const excluded = new Set(texts(star['exclude_list']).map((name) => name.toLowerCase()))
  const more = lineageFields.map(({ name }) => name).filter((name) => !excluded.has(name))
  return { ...star, exclude_list: [...texts(star['exclude_list']), ...more] }
}
