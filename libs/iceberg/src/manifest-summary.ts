import { compareValues } from './compare-values.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'
import type { ManifestEntry, ManifestHeader } from './manifest.ts'
import { partitionType } from './partition-spec.ts'
import { encodeSingleValue } from './single-value.ts'
import type { PrimitiveType, PrimitiveValue } from './type.ts'

export type ManifestCommit = {
  readonly snapshotId: bigint
  /** Sequence number of the commit that adds the manifest; 0n in v1. */
  readonly sequenceNumber: bigint
  readonly firstRowId?: bigint
  readonly keyMetadata?: Uint8Array
}

/**
 * The manifest list entry of a manifest: counts, rows, and bounds of the partition values.
 * @param lengthBytes  size of the manifest file
 */
export function manifestFileFor(
  path: string,
  lengthBytes: number,
  header: ManifestHeader,
  entries: readonly ManifestEntry[],
  commit: ManifestCommit,
): ManifestFile {
  const { firstRowId, keyMetadata } = commit
  return {
    manifestPath: path,
    manifestLength: lengthBytes,
    partitionSpecId: header.spec.specId,
    content: header.content,
    sequenceNumber: commit.sequenceNumber,
    minSequenceNumber: minSequenceNumber(entries, commit.sequenceNumber),
    addedSnapshotId: commit.snapshotId,
    ...countEntries(entries),
    partitions: summarizePartitions(header, entries),
    ...(keyMetadata === undefined ? {} : { keyMetadata }),
    ...(firstRowId === undefined ? {} : { firstRowId }),
  }
}

/** Lowest data sequence number of the live files; added files without one get the commit's. */
function minSequenceNumber(entries: readonly ManifestEntry[], commitNumber: bigint): bigint {
  let least = commitNumber
  for (const { status, sequenceNumber } of entries) {
    if (status !== 'deleted' && sequenceNumber !== undefined && sequenceNumber < least) least = sequenceNumber
  }
  return least
}

type Counts = Required<
  Pick<
    ManifestFile,
    | 'addedFilesCount'
    | 'existingFilesCount'
    | 'deletedFilesCount'
    | 'addedRowsCount'
    | 'existingRowsCount'
    | 'deletedRowsCount'
  >
>

function countEntries(entries: readonly ManifestEntry[]): Counts {
  const files = { added: 0, existing: 0, deleted: 0 }
  const rows = { added: 0, existing: 0, deleted: 0 }
  for (const { status, dataFile } of entries) {
    files[status] += 1
    rows[status] += dataFile.recordCount
  }
  return {
    addedFilesCount: files.added,
    existingFilesCount: files.existing,
    deletedFilesCount: files.deleted,
    addedRowsCount: rows.added,
    existingRowsCount: rows.existing,
    deletedRowsCount: rows.deleted,
  }
}

function summarizePartitions(
  header: ManifestHeader,
  entries: readonly ManifestEntry[],
): readonly FieldSummary[] {
  return partitionType(header.spec, header.schema).fields.map((field, at) =>
    summarizeField(field.type as PrimitiveType, entries, at),
  )
}

/** Deleted entries count too, as in Java: readers of history look at them. */
function summarizeField(type: PrimitiveType, entries: readonly ManifestEntry[], at: number): FieldSummary {
  let [containsNull, containsNan] = [false, false]
  let [least, greatest]: (PrimitiveValue | undefined)[] = []
  for (const { dataFile } of entries) {
    const value = dataFile.partition[at] ?? null
    if (value === null) containsNull = true
    else if (Number.isNaN(value)) containsNan = true
    else {
      if (least === undefined || compareValues(type, value, least) < 0) least = value
      if (greatest === undefined || compareValues(type, value, greatest) > 0) greatest = value
    }
  }
  return {
    containsNull,
    containsNan,
    ...(least === undefined ? {} : { lowerBound: encodeSingleValue(type, least) }),
    ...(greatest === undefined ? {} : { upperBound: encodeSingleValue(type, greatest) }),
  }
}
