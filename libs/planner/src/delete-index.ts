import { compareBytes } from '@floe/iceberg'
import type { DataFile, PartitionSpec } from '@floe/iceberg'

import type { LiveEntry } from './load-manifest.ts'
import type { DeleteFile } from './scan-plan.ts'

/** Reserved field id of `file_path` in position delete files (spec "Position Delete Files"). */
export const filePathFieldId = 2147483546

/**
 * Finds the delete files of a data file by the rules of the spec's "Scan Planning": a deletion vector or position
 * delete applies to data of its own or an older sequence number, an equality delete to strictly older data; all of them
 * inside of their own partition, except for equality deletes of an unpartitioned spec, which apply everywhere.
 */
export class DeleteIndex {
  readonly #vectors = new Map<string, LiveEntry>()
  readonly #positionsByFile = new Map<string, LiveEntry[]>()
  readonly #positionsByPartition = new Map<string, LiveEntry[]>()
  readonly #equalitiesByPartition = new Map<string, LiveEntry[]>()
  readonly #equalities: LiveEntry[] = []
  readonly #files = new Map<LiveEntry, DeleteFile>()

  constructor(entries: readonly LiveEntry[], specs: ReadonlyMap<number, PartitionSpec>) {
    for (const entry of entries) this.#add(entry, specs)
  }

  #add(entry: LiveEntry, specs: ReadonlyMap<number, PartitionSpec>): void {
    const { dataFile } = entry
    const { referencedDataFile } = dataFile
    if (dataFile.content === 'equality-deletes') {
      if (specs.get(dataFile.specId)?.fields.length === 0) this.#equalities.push(entry)
      else append(this.#equalitiesByPartition, partitionKey(dataFile), entry)
    } else if (isDeletionVector(dataFile) && referencedDataFile !== undefined) {
      const other = this.#vectors.get(referencedDataFile)
      if (other === undefined || other.sequenceNumber < entry.sequenceNumber)
        this.#vectors.set(referencedDataFile, entry)
    } else if (referencedDataFile !== undefined) append(this.#positionsByFile, referencedDataFile, entry)
    else append(this.#positionsByPartition, partitionKey(dataFile), entry)
  }

  deletesOf({ dataFile, sequenceNumber }: LiveEntry): readonly DeleteFile[] {
    const key = partitionKey(dataFile)
    const equalities = [...this.#equalities, ...(this.#equalitiesByPartition.get(key) ?? [])]
    const applying = equalities.filter((entry) => sequenceNumber < entry.sequenceNumber)
    return [...this.#positionsOf(dataFile, key, sequenceNumber), ...applying].map((entry) =>
      this.#fileOf(entry),
    )
  }

  /** One object per delete file, however many data files share it. */
  #fileOf(entry: LiveEntry): DeleteFile {
    const known = this.#files.get(entry)
    if (known !== undefined) return known
    const file = { ...entry.dataFile, dataSequenceNumber: entry.sequenceNumber }
    this.#files.set(entry, file)
    return file
  }

  #positionsOf(dataFile: DataFile, key: string, sequenceNumber: bigint): readonly LiveEntry[] {
    const vector = this.#vectors.get(dataFile.filePath)
    // Spec v3: a deletion vector holds the deletes of older position delete files too, which must be ignored then.
    if (vector !== undefined && sequenceNumber <= vector.sequenceNumber) return [vector]
    const candidates = [
      ...(this.#positionsByFile.get(dataFile.filePath) ?? []),
      ...(this.#positionsByPartition.get(key) ?? []).filter((entry) =>
        mayNameFile(entry.dataFile, dataFile.filePath),
      ),
    ]
    return candidates.filter((entry) => sequenceNumber <= entry.sequenceNumber)
  }
}

export function isDeletionVector({ fileFormat }: DataFile): boolean {
  return fileFormat === 'puffin'
}

function append<Key>(map: Map<Key, LiveEntry[]>, key: Key, entry: LiveEntry): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [entry])
  else list.push(entry)
}

function partitionKey({ specId, partition }: DataFile): string {
  const values = partition.map((value) => {
    if (value === null) return 'null'
    return value instanceof Uint8Array
      ? `bytes:${Buffer.from(value).toString('hex')}`
      : `${typeof value}:${value}`
  })
  return JSON.stringify([specId, ...values])
}

/** Position delete files carry bounds of the paths that they name. */
function mayNameFile({ lowerBounds, upperBounds }: DataFile, path: string): boolean {
  const bytes = new TextEncoder().encode(path)
  const lower = lowerBounds?.get(filePathFieldId)
  const upper = upperBounds?.get(filePathFieldId)
  if (lower !== undefined && compareBytes(bytes, lower) < 0) return false
  return upper === undefined || compareBytes(bytes, upper) <= 0
}
