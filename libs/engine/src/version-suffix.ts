import type { SnapshotSelector } from '@floe/planner'

/** A version that the name of a table says. */
export type NamedVersion = Exclude<SnapshotSelector, { kind: 'current' }>

/** Spark's `branch_x`, `tag_x`, `snapshot_id_123` and `at_timestamp_1700000000000` behind a table. */
export function versionOfSuffix(part: string): NamedVersion | undefined {
  const [, kind = '', value = ''] = /^(branch|tag|snapshot_id|at_timestamp)_(.+)$/i.exec(part) ?? []
  switch (kind.toLowerCase()) {
    case 'branch':
    case 'tag':
      return { kind: 'ref', name: value }
    case 'snapshot_id':
      return /^\d{1,19}$/.test(value) ? { kind: 'id', snapshotId: BigInt(value) } : undefined
    case 'at_timestamp':
      return /^\d{1,15}$/.test(value) ? { kind: 'timestamp', timestampMs: Number(value) } : undefined
    default:
      return undefined
  }
}
