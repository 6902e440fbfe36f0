import type { ManifestFile } from './manifest-list.ts'
import type { ManifestEntry } from './manifest.ts'

/**
 * Entries with what they take from their manifest: snapshot id, sequence numbers, first row ids (spec "Sequence Number
 * Inheritance", "First Row ID Inheritance").
 * @param entries  all entries of the manifest in its order: row ids count up over them
 */
export function inheritEntries(
  entries: readonly ManifestEntry[],
  manifest: ManifestFile,
): readonly ManifestEntry[] {
  let nextRowId = manifest.content === 'data' ? manifest.firstRowId : undefined
  return entries.map((entry) => {
    const inherited = inheritEntry(entry, manifest)
    const { dataFile, status } = inherited
    if (nextRowId === undefined) return withoutRowId(inherited)
    if (dataFile.firstRowId !== undefined || status === 'deleted') return inherited
    const firstRowId = nextRowId
    nextRowId += BigInt(dataFile.recordCount)
    return { ...inherited, dataFile: { ...dataFile, firstRowId } }
  })
}

/** One entry's snapshot id and sequence numbers; for row ids, which depend on the entries before, see `inheritEntries`. */
export function inheritEntry(entry: ManifestEntry, manifest: ManifestFile): ManifestEntry {
  // Manifests of v1 have sequence number 0, which then holds for all their files.
  const takes = entry.status === 'added' || manifest.sequenceNumber === 0n
  const snapshotId = entry.snapshotId ?? manifest.addedSnapshotId
  const sequenceNumber = entry.sequenceNumber ?? (takes ? manifest.sequenceNumber : undefined)
  const fileSequenceNumber = entry.fileSequenceNumber ?? (takes ? manifest.sequenceNumber : undefined)
  const complete =
    snapshotId === entry.snapshotId &&
    sequenceNumber === entry.sequenceNumber &&
    fileSequenceNumber === entry.fileSequenceNumber
  if (complete) return entry
  return {
    ...entry,
    snapshotId,
    ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
    ...(fileSequenceNumber === undefined ? {} : { fileSequenceNumber }),
  }
}

/** Row ids in a manifest that has none itself were never committed (Java drops them too). */
function withoutRowId(entry: ManifestEntry): ManifestEntry {
  if (entry.dataFile.firstRowId === undefined) return entry
  const { firstRowId: _, ...dataFile } = entry.dataFile
  return { ...entry, dataFile }
}

export type AssignedRowIds = { readonly files: readonly ManifestFile[]; readonly nextRowId: bigint }

/**
 * Gives every data manifest without a first row id its own (spec "First Row ID Assignment"), existing files counted:
 * those from before v3 have none yet.
 * @param firstRowId  the table's `nextRowId`, which is also the snapshot's first row id
 * @returns the difference of `nextRowId` and `firstRowId` is the snapshot's `addedRows`
 */
export function assignFirstRowIds(files: readonly ManifestFile[], firstRowId: bigint): AssignedRowIds {
  let nextRowId = firstRowId
  const assigned = files.map((file) => {
    if (file.content !== 'data' || file.firstRowId !== undefined) return file
    const own = nextRowId
    nextRowId += BigInt((file.existingRowsCount ?? 0) + (file.addedRowsCount ?? 0))
    return { ...file, firstRowId: own }
  })
  return { files: assigned, nextRowId }
}
