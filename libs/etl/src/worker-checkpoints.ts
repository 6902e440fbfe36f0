import type { DataFile } from '@floe/iceberg'
import type { Chunk, SourceReader } from '@floe/postgres'
import { joinLocation } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import { openFilesMaxDefault, parseWriteSettings } from '@floe/writer/data-files'
import type { PartitionFanOut } from '@floe/writer/data-files'
import type { LoadTaskInput } from './load-task.ts'

/** Parquet bytes of a byte on the wire, until the first batch tells: about what text takes. */
const encodedShareDefault = 0.25

type Sums = {
  readonly rows: number
  readonly wireBytes: number
  readonly touched: Readonly<Record<string, number>>
}

const nothing: Sums = { rows: 0, wireBytes: 0, touched: {} }

/**
 * Where one worker pauses to make what it has read durable: between two chunks, when the files under way are about to
 * reach their target size, so that they are closed where chunks end and no smaller than they would be.
 */
export class WorkerCheckpoints {
  readonly #input: LoadTaskInput
  readonly #store: ObjectStore
  readonly #fanOut: PartitionFanOut
  readonly #targetFileBytes: number
  readonly #counter: Int32Array
  #chunks: Chunk[] = []
  #chunksRead = 0
  #before = nothing
  #reader: Pick<SourceReader, 'timings'> | undefined
  /** Of the rows that have been encoded, when the last batch was. */
  #wireBytesEncoded = 0
  #number = 0
  #isDone = false
  #keptFiles = 0

  constructor(input: LoadTaskInput, store: ObjectStore, fanOut: PartitionFanOut) {
    this.#input = input
    this.#store = store
    this.#fanOut = fanOut
    this.#targetFileBytes = parseWriteSettings(input.target.properties).targetFileBytes
    this.#counter = new Int32Array(input.chunkCounter)
  }

  /** How many of the first files that were opened belong to checkpoints. */
  get keptFiles(): number {
    return this.#keptFiles
  }

  /** All chunks are taken. */
  get isDone(): boolean {
    return this.#isDone
  }

  get chunksTaken(): number {
    return Math.min(this.#input.chunks.length, Atomics.load(this.#counter, 0))
  }

  /** The next chunk that nobody has taken; `undefined` when none is left, and when it is time for a checkpoint. */
  next(reader: Pick<SourceReader, 'timings'>): Chunk | undefined {
    this.#reader = reader
    if (this.#isDue()) return undefined
    const chunk = this.#input.chunks[Atomics.add(this.#counter, 0, 1)]
    if (chunk === undefined) this.#isDone = true
    else {
      this.#chunks.push(chunk)
      this.#chunksRead++
    }
    return chunk
  }

  batchEncoded(): void {
    this.#wireBytesEncoded = this.#reader?.timings().wireBytes ?? 0
  }

  #isDue(): boolean {
    if (this.#input.checkpoints === undefined || this.#chunks.length === 0) return false
    const wireBytes = this.#reader?.timings().wireBytes ?? 0
    const { encodedBytes } = this.#fanOut.stats
    const share =
      encodedBytes === 0 ? encodedShareDefault : encodedBytes / Math.max(1, this.#wireBytesEncoded)
    const underWay = (wireBytes - this.#before.wireBytes) * share
    const perChunk = (wireBytes / this.#chunksRead) * share
    const { openFilesMax = openFilesMaxDefault } = this.#input.limits
    const files = Math.max(1, Math.min(openFilesMax, this.#fanOut.held.unfinishedPartitions))
    return underWay + perChunk / 2 >= this.#targetFileBytes * files
  }

  /** Says that `dataFiles` hold the chunks taken since the last call. A worker that never paused leaves nothing at its end. */
  async write(dataFiles: readonly DataFile[], stats: Sums, opened: readonly string[]): Promise<void> {
    const { checkpoints, target } = this.#input
    if (checkpoints === undefined || (this.#isDone && this.#number === 0 && !checkpoints.atEnd)) return
    const ranges = this.#chunks.flatMap((chunk) => (chunk.kind === 'blocks' ? [chunk] : []))
    if (ranges.length === 0) return
    // Most loads write no checkpoint: the codec of manifests is read by those that do.
    const { encodeCheckpoint } = await import('./checkpoint.ts')
    const rows = stats.rows - this.#before.rows
    const touched = difference(stats.touched, this.#before.touched)
    const bytes = encodeCheckpoint({ ranges, rows, touched, dataFiles }, { ...target, ...checkpoints })
    const name = `${checkpoints.namePrefix}-${String(this.#number).padStart(5, '0')}.json`
    // Before the first object is there, so that the load knows of it however this thread ends.
    Atomics.store(this.#counter, 1, 1)
    // Absent when nothing was taken over: workers make the first plan when there is something to keep.
    if (checkpoints.firstPlan !== undefined && this.#number === 0)
      await this.#store.putIfAbsent(checkpoints.firstPlan.location, checkpoints.firstPlan.bytes)
    // From here on: a checkpoint may be there though its writing has failed.
    this.#keptFiles = opened.length
    await this.#store.put(joinLocation(checkpoints.folder, name), bytes)
    this.#number++
    this.#chunks = []
    this.#before = { ...stats, touched: { ...stats.touched } }
  }
}

function difference(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const changed = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(changed.filter(([, count]) => count > 0))
}
