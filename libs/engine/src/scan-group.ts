import { findFieldById, FloeError } from '@floe/iceberg'
import type { DataFile, NestedField, TableMetadata } from '@floe/iceberg'
import { isDeletionVector } from '@floe/planner'
import type { ScanPlan, ScanTask } from '@floe/planner'

import { columnReads, readsKey } from './column-read.ts'
import type { ColumnRead } from './column-read.ts'
import type { FileLayout } from './file-layout.ts'
import { hasFieldIds, mapNames } from './name-mapping.ts'

/** Files that one `read_parquet` reads: written alike, and with the same deletes to apply. */
export type ScanGroup = {
  /** The table's columns, then columns that equality deletes compare but the table shows no more. */
  readonly reads: readonly ColumnRead[]
  readonly fields: readonly NestedField[]
  readonly tasks: readonly ScanTask[]
  /** True when rows of these files are deleted by position. */
  readonly positions: boolean
  /** Sets of columns that equality deletes of these files compare, see `equalitySetOf`. */
  readonly equalitySets: readonly string[]
}

export type GroupInput = {
  readonly metadata: TableMetadata
  readonly plan: Pick<ScanPlan, 'tasks' | 'schema'>
  readonly layouts: ReadonlyMap<string, FileLayout>
  /** What else is read of each file than the columns of the version. */
  readonly restrictions?: { readonly hiddenFields: readonly NestedField[] } | undefined
}

export function groupTasks(input: GroupInput): readonly ScanGroup[] {
  const groups = new Map<string, { readonly group: Omit<ScanGroup, 'tasks'>; readonly tasks: ScanTask[] }>()
  for (const task of input.plan.tasks) {
    const group = groupOf(task, input)
    const key = `${readsKey(group.reads)} ${group.positions} ${group.equalitySets.join(' ')}`
    const known = groups.get(key)
    if (known === undefined) groups.set(key, { group, tasks: [task] })
    else known.tasks.push(task)
  }
  return [...groups.values()].map(({ group, tasks }) => ({ ...group, tasks }))
}

function groupOf(
  task: ScanTask,
  { metadata, plan, layouts, restrictions }: GroupInput,
): Omit<ScanGroup, 'tasks'> {
  const { dataFile, deletes } = task
  const equalities = deletes.filter(({ content }) => content === 'equality-deletes')
  const equalitySets = [...new Set(equalities.map(equalitySetOf))].sort()
  const known = [...plan.schema.fields, ...(restrictions?.hiddenFields ?? [])]
  const fields = [...known, ...goneFields(equalities, known, metadata)]
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === dataFile.specId)
  const footer = layoutOf(layouts, dataFile)
  const layout = hasFieldIds(footer) ? footer : mapNames(footer, metadata, dataFile.filePath)
  const reads = columnReads(fields, { layout, footer, file: dataFile, spec })
  return { reads, fields, positions: deletes.some(deletesByPosition), equalitySets }
}

/** Ids of the columns that an equality delete compares, ascending, joined by commas. */
export function equalitySetOf({ equalityIds = [] }: DataFile): string {
  return [...equalityIds].sort((a, b) => a - b).join(',')
}

/** Layout of a file that was read before. */
export function layoutOf(layouts: ReadonlyMap<string, FileLayout>, { filePath }: DataFile): FileLayout {
  const layout = layouts.get(filePath)
  if (layout === undefined)
    throw new FloeError('internal', `the footer of ${filePath} was not read before it was needed`)
  return layout
}

function deletesByPosition(file: DataFile): boolean {
  return file.content === 'position-deletes' || isDeletionVector(file)
}

/** Equality deletes may compare columns that were dropped since: their old definitions. */
function goneFields(
  equalities: readonly DataFile[],
  known: readonly NestedField[],
  metadata: TableMetadata,
): readonly NestedField[] {
  const shown = new Set(known.map(({ id }) => id))
  const wanted = new Set(equalities.flatMap(({ equalityIds = [] }) => equalityIds))
  return [...wanted].filter((id) => !shown.has(id)).map((id) => fieldInHistory(id, metadata))
}

/** A column as the newest schema that has it defines it. */
export function fieldInHistory(fieldId: number, { schemas, location }: TableMetadata): NestedField {
  const newestFirst = [...schemas].sort((a, b) => b.schemaId - a.schemaId)
  const owner = newestFirst.find(({ fields }) => fields.some(({ id }) => id === fieldId))
  const field = owner === undefined ? undefined : findFieldById(owner, fieldId)
  if (field !== undefined) return field
  throw new FloeError(
    'unsupported',
    `a delete or a row filter of the table at ${location} compares the nested or unknown field ${fieldId}`,
    {
      hint: 'compact the table, so that its deletes are applied to its data files, or set another row filter',
    },
  )
}
