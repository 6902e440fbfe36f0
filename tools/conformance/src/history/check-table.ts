import type { Read } from './operation.ts'
import type { ObservedTable } from './observed-table.ts'
import type { Violation } from './violation.ts'

/** Java and Rust refuse metadata whose logs go back further than a minute (spec "Metadata Log"). */
const clockStepBackMsMax = 60_000

/** Whether one table's metadata is a line: each snapshot on the one before it, each metadata file on the one before it. */
export function checkTable(table: ObservedTable): readonly Violation[] {
  return [...checkSnapshots(table), ...checkMetadataLog(table), ...checkFiles(table)].map((message) => ({
    table: table.uuid,
    token: undefined,
    message: `${table.name}: ${message}`,
  }))
}

function* checkSnapshots(table: ObservedTable): Generator<string> {
  const { snapshots, currentSnapshotId, mainSnapshotId, lastSequenceNumber, snapshotLog } = table
  if (currentSnapshotId !== mainSnapshotId)
    yield `the current snapshot is ${currentSnapshotId}, main is at ${mainSnapshotId}`
  let previous: (typeof snapshots)[number] | undefined
  for (const snapshot of snapshots) {
    if (snapshot.parentId !== previous?.id)
      yield `snapshot ${snapshot.id} forks: its parent is ${snapshot.parentId}, the one before it ${previous?.id}`
    if (previous !== undefined && snapshot.sequenceNumber <= previous.sequenceNumber)
      yield `snapshot ${snapshot.id} has sequence number ${snapshot.sequenceNumber} after ${previous.sequenceNumber}`
    previous = snapshot
  }
  if (previous?.id !== currentSnapshotId)
    yield `the newest snapshot is ${previous?.id}, the current one ${currentSnapshotId}`
  if (previous !== undefined && previous.sequenceNumber !== lastSequenceNumber)
    yield `last-sequence-number is ${lastSequenceNumber}, the newest snapshot's ${previous.sequenceNumber}`
  if (snapshotLog.join(',') !== snapshots.map(({ id }) => id).join(','))
    yield `the snapshot log has ${snapshotLog.length} entries in another order than the ${snapshots.length} snapshots`
}

function* checkMetadataLog({ uuid, metadataFiles }: ObservedTable): Generator<string> {
  const before: string[] = []
  let newestMs = 0
  for (const { location, timestampMs, log, table } of metadataFiles) {
    if (log === undefined) yield `metadata file ${location} is gone or cannot be read`
    else if (table !== uuid) yield `metadata file ${location} is of table ${table}`
    else if (log.join('\n') !== before.join('\n'))
      yield `metadata file ${location} names ${log.length} files before it, there are ${before.length}`
    if (timestampMs < newestMs - clockStepBackMsMax)
      yield `metadata file ${location} is older than the one before it`
    if (before.includes(location)) yield `metadata file ${location} is twice in the log`
    newestMs = Math.max(newestMs, timestampMs)
    before.push(location)
  }
}

function* checkFiles({ missingFiles }: ObservedTable): Generator<string> {
  for (const file of missingFiles) yield `${file} is named by a snapshot and is not there`
}

/**
 * Whether what clients saw stayed: a snapshot that was read is in the history, and a read that began after a commit
 * was acknowledged sees that commit.
 */
export function checkReads(
  table: ObservedTable,
  reads: readonly Read[],
  acknowledged: readonly { readonly token: string; readonly completedAt: number }[],
): readonly Violation[] {
  const position = new Map(table.snapshots.map(({ id }, at) => [id, at]))
  const placeOfToken = new Map(table.snapshots.map(({ token }, at) => [token, at]))
  const commits = acknowledged
    .map(({ token, completedAt }) => ({ token, completedAt, at: placeOfToken.get(token) ?? -1 }))
    .toSorted((left, right) => left.completedAt - right.completedAt)
  const violations: Violation[] = []
  let next = 0
  let newest: (typeof commits)[number] | undefined
  for (const read of reads.toSorted((left, right) => left.invokedAt - right.invokedAt)) {
    for (; next < commits.length; next++) {
      const commit = commits[next]
      if (commit === undefined || commit.completedAt > read.invokedAt) break
      if (newest === undefined || commit.at > newest.at) newest = commit
    }
    const seen = read.snapshotId === undefined ? -1 : position.get(read.snapshotId)
    const who = `${table.name}: client ${read.client} read snapshot ${read.snapshotId} in [${read.invokedAt}, ${read.completedAt}]`
    if (seen === undefined)
      violations.push({ table: table.uuid, token: undefined, message: `${who}, which is not in the history` })
    else if (newest !== undefined && seen < newest.at)
      violations.push({
        table: table.uuid,
        token: newest.token,
        message: `${who} after ${newest.token} was acknowledged at ${newest.completedAt}, and did not see it`,
      })
  }
  return violations
}
