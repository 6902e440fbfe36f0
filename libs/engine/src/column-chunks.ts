import type { DataFile, TableMetadata } from '@floe/iceberg'
import type { DuckDBConnection } from '@duckdb/node-api'

import type { ByteRange } from './byte-ranges.ts'
import { readRows } from './duckdb-session.ts'
import type { FileField, FileLayout } from './file-layout.ts'
import type { FileLease } from './file-lease.ts'
import { hasFieldIds, mapNames } from './name-mapping.ts'
import { layoutOf } from './scan-group.ts'
import { textList } from './sql-text.ts'

/** Files whose chunk positions are kept in memory. */
const filesMax = 10_000

/**
 * Before version 1.2 of its C++ and Java writers Parquet left the header of a dictionary page out of a chunk's size;
 * readers allow for this many bytes more.
 */
const sizeSlackBytes = 100

/** What a leaf column takes of a file: its chunk in every row group, and the bloom filters of those. */
type LeafRanges = ReadonlyMap<number, readonly ByteRange[]>

/** Where the column chunks of immutable files are, by location: read of each footer once per process. */
export class ChunkCache {
  readonly #byLocation = new Map<string, LeafRanges>()

  /** Reads the footers that are not known yet; they must be there at their local paths. */
  async read(
    connection: DuckDBConnection,
    files: readonly DataFile[],
    lease: FileLease,
  ): Promise<ReadonlyMap<DataFile, LeafRanges>> {
    const found = new Map<DataFile, LeafRanges>()
    const unknown = new Map<string, DataFile>()
    for (const file of files) {
      const known = this.#byLocation.get(file.filePath)
      if (known === undefined) unknown.set(lease.pathOf(file), file)
      else found.set(file, known)
    }
    for (const [path, leaves] of await readChunks(connection, [...unknown.keys()])) {
      const file = unknown.get(path)
      if (file === undefined) continue
      found.set(file, leaves)
      this.#keep(file.filePath, leaves)
    }
    return found
  }

  #keep(location: string, leaves: LeafRanges): void {
    this.#byLocation.set(location, leaves)
    if (this.#byLocation.size <= filesMax) return
    const [oldest] = this.#byLocation.keys()
    if (oldest !== undefined) this.#byLocation.delete(oldest)
  }
}

async function readChunks(
  connection: DuckDBConnection,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Map<number, ByteRange[]>>> {
  if (paths.length === 0) return new Map()
  const rows = await readRows(
    connection,
    `SELECT file_name, column_id, data_page_offset, dictionary_page_offset, total_compressed_size,
       bloom_filter_offset, bloom_filter_length FROM parquet_metadata(${textList(paths)})`,
  )
  const files = new Map<string, Map<number, ByteRange[]>>()
  for (const [name, ...row] of rows) {
    const [column = 0, dataOffset = 0, dictionaryOffset = 0, size = 0, bloomOffset = 0, bloomLength = 0] =
      row.map((value) => (value === null ? 0 : Number(value)))
    const leaves = files.get(String(name)) ?? new Map<number, ByteRange[]>()
    files.set(String(name), leaves)
    // Offset 0 is how some writers say that there is no dictionary: the file's magic bytes are there.
    const start = dictionaryOffset > 0 ? Math.min(dictionaryOffset, dataOffset) : dataOffset
    const ranges = leaves.get(column) ?? []
    ranges.push({ start, end: start + size + sizeSlackBytes })
    if (bloomOffset > 0) ranges.push(bloomRange(bloomOffset, bloomLength))
    leaves.set(column, ranges)
  }
  return files
}

/** The format lets a writer leave the length out; its filters are then of this size at most. */
const bloomBytesMax = 1024 * 1024

function bloomRange(offset: number, length: number): ByteRange {
  return { start: offset, end: offset + (length > 0 ? length : bloomBytesMax) }
}

/** The bytes of a file that columns take, by their field ids. */
export function rangesOfColumns(
  file: DataFile,
  fieldIds: ReadonlySet<number>,
  {
    leaves,
    layouts,
    metadata,
  }: {
    readonly leaves: LeafRanges
    readonly layouts: ReadonlyMap<string, FileLayout>
    readonly metadata: TableMetadata
  },
): readonly ByteRange[] {
  const footer = layoutOf(layouts, file)
  const layout = hasFieldIds(footer) ? footer : mapNames(footer, metadata, file.filePath)
  const ranges: ByteRange[] = []
  let leaf = 0
  for (const column of layout) {
    const count = leavesOf(column)
    if (column.fieldId !== undefined && fieldIds.has(column.fieldId)) {
      for (let at = leaf; at < leaf + count; at++) ranges.push(...(leaves.get(at) ?? []))
    }
    leaf += count
  }
  const { fileSizeInBytes } = file
  return ranges.map(({ start, end }) => ({ start, end: Math.min(end, fileSizeInBytes) }))
}

/** Columns are numbered by their leaves, depth first. */
function leavesOf({ children }: FileField): number {
  return children.length === 0 ? 1 : children.reduce((sum, child) => sum + leavesOf(child), 0)
}
