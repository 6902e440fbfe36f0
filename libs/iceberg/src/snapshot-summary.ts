import type { DataFile } from './data-file.ts'
import type { Snapshot, SnapshotOperation } from './snapshot.ts'

export type SummaryInput = {
  readonly operation: SnapshotOperation
  /** Head of the branch before; `undefined` for the first snapshot, whose totals start at 0. */
  readonly parent: Snapshot | undefined
  readonly added: Iterable<DataFile>
  readonly removed?: Iterable<DataFile>
  /** The writer's own members, such as a load token. They never replace a computed one. */
  readonly properties?: Readonly<Record<string, string>>
}

type Counts = {
  files: number
  records: number
  bytes: number
  deleteFiles: number
  positionDeleteFiles: number
  equalityDeleteFiles: number
  deletionVectors: number
  positionDeletes: number
  equalityDeletes: number
}

/** Summary members of added and of removed files, and the totals they change (spec Appendix F). */
const members = [
  { count: 'files', added: 'added-data-files', removed: 'deleted-data-files', total: 'total-data-files' },
  { count: 'records', added: 'added-records', removed: 'deleted-records', total: 'total-records' },
  { count: 'bytes', added: 'added-files-size', removed: 'removed-files-size', total: 'total-files-size' },
  {
    count: 'deleteFiles',
    added: 'added-delete-files',
    removed: 'removed-delete-files',
    total: 'total-delete-files',
  },
  {
    count: 'positionDeleteFiles',
    added: 'added-position-delete-files',
    removed: 'removed-position-delete-files',
  },
  {
    count: 'equalityDeleteFiles',
    added: 'added-equality-delete-files',
    removed: 'removed-equality-delete-files',
  },
  { count: 'deletionVectors', added: 'added-dvs', removed: 'removed-dvs' },
  {
    count: 'positionDeletes',
    added: 'added-position-deletes',
    removed: 'removed-position-deletes',
    total: 'total-position-deletes',
  },
  {
    count: 'equalityDeletes',
    added: 'added-equality-deletes',
    removed: 'removed-equality-deletes',
    total: 'total-equality-deletes',
  },
] as const satisfies readonly { count: keyof Counts; added: string; removed: string; total?: string }[]

const changedPartitions = 'changed-partition-count'

const computedMembers: ReadonlySet<string> = new Set([
  'operation',
  changedPartitions,
  ...members.flatMap((member) => [
    member.added,
    member.removed,
    ...('total' in member ? [member.total] : []),
  ]),
])

/** Summary of a snapshot: counts that are not 0, and totals carried forward from the parent (spec Appendix F). */
export function snapshotSummary(input: SummaryInput): Readonly<Record<string, string>> {
  const partitions = new Set<string>()
  const added = countFiles(input.added, partitions)
  const removed = countFiles(input.removed ?? [], partitions)
  const own = Object.entries(input.properties ?? {}).filter(([key]) => !computedMembers.has(key))
  return {
    operation: input.operation,
    ...Object.fromEntries(own),
    ...Object.fromEntries(changes(added, removed)),
    [changedPartitions]: String(partitions.size),
    ...Object.fromEntries(totals(input.parent, added, removed)),
  }
}

function countFiles(files: Iterable<DataFile>, partitions: Set<string>): Counts {
  const counts: Counts = {
    files: 0,
    records: 0,
    bytes: 0,
    deleteFiles: 0,
    positionDeleteFiles: 0,
    equalityDeleteFiles: 0,
    deletionVectors: 0,
    positionDeletes: 0,
    equalityDeletes: 0,
  }
  for (const file of files) {
    addFile(counts, file)
    partitions.add(`${file.specId}/${file.partition.map(valueKey).join('/')}`)
  }
  return counts
}

/** Distinct for distinct values: the type within one field is always the same. */
function valueKey(value: DataFile['partition'][number]): string {
  return value === null ? 'null' : encodeURIComponent(`=${value}`)
}

function addFile(counts: Counts, file: DataFile): void {
  // Several deletion vectors share one Puffin file: each counts its own part.
  const isVector = file.content === 'position-deletes' && file.fileFormat === 'puffin'
  counts.bytes += isVector ? (file.contentSizeInBytes ?? file.fileSizeInBytes) : file.fileSizeInBytes
  if (file.content === 'data') {
    counts.files += 1
    counts.records += file.recordCount
    return
  }
  counts.deleteFiles += 1
  if (file.content === 'equality-deletes') {
    counts.equalityDeleteFiles += 1
    counts.equalityDeletes += file.recordCount
    return
  }
  counts[isVector ? 'deletionVectors' : 'positionDeleteFiles'] += 1
  counts.positionDeletes += file.recordCount
}

function changes(added: Counts, removed: Counts): [string, string][] {
  return members
    .flatMap((member): [string, number][] => [
      [member.added, added[member.count]],
      [member.removed, removed[member.count]],
    ])
    .filter(([, count]) => count > 0)
    .map(([name, count]) => [name, String(count)])
}

/** A total that the parent did not write, or wrote wrong, stays away: readers take an absent total as not known. */
function totals(parent: Snapshot | undefined, added: Counts, removed: Counts): [string, string][] {
  return members.flatMap((member): [string, string][] => {
    if (!('total' in member)) return []
    const before = parent === undefined ? '0' : parent.summary?.[member.total]
    if (before === undefined || !/^\d+$/.test(before)) return []
    const total = BigInt(before) + BigInt(added[member.count]) - BigInt(removed[member.count])
    return total < 0n ? [] : [[member.total, String(total)]]
  })
}
