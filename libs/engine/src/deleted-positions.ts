import type { DuckDBConnection } from '@duckdb/node-api'
import type { DataFile } from '@floe/iceberg'
import { isDeletionVector } from '@floe/planner'
import type { ScanTask } from '@floe/planner'
import type { ObjectStore } from '@floe/storage'

import { decodeDeletionVector } from './deletion-vector.ts'
import { readRows, runAll } from './duckdb-session.ts'
import type { FileLease } from './file-cache.ts'
import { textList } from './sql-text.ts'

export type PositionComponents = {
  readonly connection: DuckDBConnection
  readonly lease: FileLease
  readonly store: ObjectStore
}

/** Rows whose marks are in one word: a shift of more bits would leave DuckDB's BIGINT. */
const wordRows = 32

/** Words of one table: up to here DuckDB joins by an index into an array instead of a hash table. */
const wordsMax = 1_000_000

/** Files in runs whose words fit in one table, at least one file each. */
export function splitByWords(tasks: readonly ScanTask[]): readonly (readonly ScanTask[])[] {
  const runs: ScanTask[][] = []
  let stride = 0
  for (const task of tasks) {
    const words = wordsOf(task)
    const run = runs.at(-1)
    if (run !== undefined && Math.max(stride, words) * (run.length + 1) <= wordsMax) {
      stride = Math.max(stride, words)
      run.push(task)
    } else {
      stride = words
      runs.push([task])
    }
  }
  return runs
}

/**
 * Makes a table of (key, word): for each 32 rows of files that position deletes or deletion vectors may concern, a bit
 * for each row that they removed. Rows find their word by a join on a small dense integer, and their bit by a shift.
 * Words of row `n` of file `f` have the key `f * stride + n / 32`.
 */
export async function createPositions(
  name: string,
  tasks: readonly ScanTask[],
  components: PositionComponents,
): Promise<void> {
  const { connection } = components
  const stride = strideOf(tasks)
  await runAll(connection, [
    `CREATE TEMP TABLE ${name}_marks (key BIGINT, word BIGINT)`,
    `CREATE TEMP TABLE ${name}_targets (delete_index UBIGINT, path VARCHAR, file_index BIGINT, row_count BIGINT, words BIGINT)`,
  ])
  await appendVectors(`${name}_marks`, tasks, components)
  const paths = await appendTargets(`${name}_targets`, tasks, components)
  const marks = [`SELECT key, word FROM ${name}_marks`]
  // Position delete files are read once, all together, whatever the number of data files that they name.
  if (paths.length > 0) {
    marks.push(`SELECT t.file_index * ${stride} + (d.pos >> 5), 1::BIGINT << (d.pos & 31)
      FROM read_parquet(${textList(paths)}, schema = MAP {
        'file_path': {name: 'file_path', type: 'VARCHAR', default_value: NULL::VARCHAR},
        'pos': {name: 'pos', type: 'BIGINT', default_value: NULL::VARCHAR}}) AS d
      JOIN ${name}_targets AS t ON d.file_index = t.delete_index AND d.file_path = t.path
      WHERE d.pos BETWEEN 0 AND t.row_count - 1`)
  }
  // An inner join needs every word: DuckDB indexes an array for no other.
  await readRows(
    connection,
    `CREATE TEMP TABLE ${name} AS SELECT key, coalesce(bit_or(word), 0) AS word
     FROM (SELECT DISTINCT file_index * ${stride} AS start, words FROM ${name}_targets) AS f,
       LATERAL (SELECT f.start + range AS key FROM range(f.words))
     LEFT JOIN (${marks.join(' UNION ALL ')}) AS m(key, word) USING (key) GROUP BY key`,
  )
}

/** The join and the condition that leave deleted rows of `r` out. */
export function positionJoin(
  name: string,
  tasks: readonly ScanTask[],
): { readonly join: string; readonly condition: string } {
  const key = `r.file_index::BIGINT * ${strideOf(tasks)} + (r.file_row_number >> 5)`
  return {
    join: `JOIN ${name} AS p ON ${key} = p.key`,
    condition: '((p.word >> (r.file_row_number & 31)) & 1) = 0',
  }
}

function wordsOf({ dataFile }: ScanTask): number {
  return Math.max(1, Math.ceil(dataFile.recordCount / wordRows))
}

function strideOf(tasks: readonly ScanTask[]): number {
  return tasks.reduce((most, task) => Math.max(most, wordsOf(task)), 1)
}

/** What each delete file may say of which data file, and a line without a delete file for each of the latter. */
async function appendTargets(
  table: string,
  tasks: readonly ScanTask[],
  { connection, lease }: PositionComponents,
): Promise<readonly string[]> {
  const deletes = new Map<string, number>()
  const appender = await connection.createAppender(table, 'main', 'temp')
  const append = (deleteIndex: number | undefined, fileIndex: number, task: ScanTask): void => {
    if (deleteIndex === undefined) appender.appendNull()
    else appender.appendUBigInt(BigInt(deleteIndex))
    appender.appendVarchar(task.dataFile.filePath)
    appender.appendBigInt(BigInt(fileIndex))
    appender.appendBigInt(BigInt(task.dataFile.recordCount))
    appender.appendBigInt(BigInt(wordsOf(task)))
    appender.endRow()
  }
  for (const [fileIndex, task] of tasks.entries()) {
    append(undefined, fileIndex, task)
    for (const file of task.deletes) {
      if (file.content !== 'position-deletes' || isDeletionVector(file)) continue
      const path = lease.pathOf(file)
      const deleteIndex = deletes.get(path) ?? deletes.size
      deletes.set(path, deleteIndex)
      append(deleteIndex, fileIndex, task)
    }
  }
  appender.closeSync()
  return [...deletes.keys()]
}

async function appendVectors(
  table: string,
  tasks: readonly ScanTask[],
  { connection, store }: PositionComponents,
): Promise<void> {
  const stride = strideOf(tasks)
  const appender = await connection.createAppender(table, 'main', 'temp')
  try {
    for (const [fileIndex, task] of tasks.entries()) {
      for (const file of task.deletes) {
        if (!isDeletionVector(file)) continue
        for (const [at, word] of (await readVector(file, task, store)).entries()) {
          if (word === 0) continue
          appender.appendBigInt(BigInt(fileIndex * stride + at))
          appender.appendBigInt(BigInt(word))
          appender.endRow()
        }
      }
    }
  } finally {
    appender.closeSync()
  }
}

async function readVector(file: DataFile, task: ScanTask, store: ObjectStore): Promise<Uint32Array> {
  const { filePath, contentOffset = 0, contentSizeInBytes = file.fileSizeInBytes } = file
  const blob = await store.get(filePath, { range: { offset: contentOffset, length: contentSizeInBytes } })
  const words = new Uint32Array(wordsOf(task))
  for (const position of decodeDeletionVector(blob, filePath)) {
    const at = Number(position)
    if (at < task.dataFile.recordCount) words[at >>> 5] = ((words[at >>> 5] ?? 0) | (1 << (at & 31))) >>> 0
  }
  return words
}
