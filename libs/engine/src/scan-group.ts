import { findFieldById, FloeError } from '@floe/iceberg'
import type { DataFile, NestedField, TableMetadata } from '@floe/iceberg'
import { isDeletionVector } from '@floe/planner'
import type { ScanPlan, ScanTask } from '@floe/planner'

import { columnReads, readsKey } from './column-read.ts'
import type { ColumnRead } from './column-read.ts'
import type { FileLayout } from './file-layout.ts'
import { hasFieldIds, mapNames } from './name-mapping.ts'
import { hasPlainNames } from './read-parquet.ts'

/** Files that one `read_parquet` reads: written alike, and with the same deletes to apply. */
export type ScanGroup = {
  /** The table's columns, then columns that equality deletes compare but the table shows no more. */
  readonly reads: readonly ColumnRead[]
  readonly fields: readonly NestedField[]
  readonly tasks: readonly ScanTask[]
  /** All files have one layout, whose names may be used. */
  readonly byName: boolean
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

/** Layouts of files that are otherwise read alike, up to which each gets a group of its own: a branch of the SQL. */
const namedLayoutsMax = 8

type Group = Omit<ScanGroup, 'tasks' | 'byName'>
type GroupedTask = { readonly task: ScanTask; readonly footer: FileLayout; readonly group: Group }

export function groupTasks(input: GroupInput): readonly ScanGroup[] {
  const grouped = input.plan.tasks.map((task) => groupedTask(task, input))
  const alike = Map.groupBy(
    grouped,
    ({ group }) => `${readsKey(group.reads)} ${group.positions} ${group.equalitySets.join(' ')}`,
  )
  return [...alike.values()].flatMap((tasks) => {
    const layouts = Map.groupBy(tasks, ({ footer }) => footer)
    const byName = layouts.size <= namedLayoutsMax && [...layouts.keys()].every(hasPlainNames)
    return byName ? [...layouts.values()].map((each) => groupOf(each, true)) : [groupOf(tasks, false)]
  })
}

function groupOf(tasks: readonly GroupedTask[], byName: boolean): ScanGroup {
  const [first] = tasks as [GroupedTask]
  return { ...first.group, tasks: tasks.map(({ task }) => task), byName }
}

function groupedTask(task: ScanTask, { metadata, plan, layouts, restrictions }: GroupInput): GroupedTask {
  const { dataFile, deletes } = task
  const equalities = deletes.filter(({ content }) => content === 'equality-deletes')
  const equalitySets = [...new Set(equalities.map(equalitySetOf))].sort()
  const known = [...plan.schema.fields, ...(restrictions?.hiddenFields ?? [])]
  const fields = [...known, ...goneFields(equalities, known, metadata)]
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === dataFile.specId)
  const footer = layoutOf(layouts, dataFile)
  const layout = hasFieldIds(footer) ? footer : mapNames(footer, metadata, dataFile.filePath)
  const reads = columnReads(fields, { layout, footer, file: dataFile, spec })
  const group = { reads, fields, positions: deletes.some(deletesByPosition), equalitySets }
  return { task, footer, group }
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
