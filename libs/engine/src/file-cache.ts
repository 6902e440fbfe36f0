import { createHash } from 'node:crypto'
import { link, mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import type { DataFile } from '@floe/iceberg'
import type { ObjectReader } from '@floe/storage'

import { forEachBounded } from './bounded-calls.ts'
import { mergeRanges, missingRanges, splitRanges } from './byte-ranges.ts'
import type { ByteRange } from './byte-ranges.ts'
import { cacheError, shortFile } from './cache-error.ts'
import {
  findSparseCopy,
  isCode,
  isData,
  listRanges,
  openSparseCopy,
  presentRanges,
  removeSparseCopy,
} from './sparse-copy.ts'

/** Bytes that cached copies of remote files may take on disk. */
export const cacheBytesMaxDefault: number = 10 * 1024 ** 3

/** Bytes of one ranged read, and ranged reads at a time per file: the memory that a download takes. */
const rangeBytesMax = 8 * 1024 * 1024
const rangesInFlightMax = 3

/** Bytes that are read beside what is needed, where they save another request. */
export const readAheadBytesDefault: number = 64 * 1024

/** Other processes may evict a copy before it is linked. */
const attemptsMax = 3

/** Folders of queries that ended without cleaning up leave after this. */
const abandonedAfterMs = 24 * 60 * 60 * 1000

export type CacheSettings = {
  readonly directory: string
  readonly bytesMax: number
  readonly readAheadBytes: number
}
export type CacheComponents = {
  readonly store: ObjectReader
  readonly clock: { now(): number }
  readonly uuid: () => string
}

/** A query's own link to a sparse copy, and the bytes that it is known to hold. */
export type LinkedCopy = {
  readonly file: DataFile
  readonly path: string
  readonly dataPath: string
  readonly ranges: readonly ByteRange[]
}

/**
 * Parts of immutable remote files, in a folder that processes may share: sparse copies that queries fill as far as they
 * read them. A query holds hard links of its own, so an eviction by anybody takes nothing away from it.
 */
export class FileCache {
  readonly #settings: CacheSettings
  readonly #components: CacheComponents
  /** The last of the fills of each copy that wait for one another: two would fetch the same bytes. */
  readonly #fills = new Map<string, Promise<unknown>>()
  /** Bytes of all copies as last counted, plus what was added since; `undefined` before the first count. */
  #bytes: number | undefined
  /** Bytes that came while a count was under way, which may or may not have seen them. */
  #bytesSinceCount = 0
  #makingRoom: Promise<void> = Promise.resolve()

  constructor(settings: CacheSettings, components: CacheComponents) {
    this.#settings = settings
    this.#components = components
  }

  get readAheadBytes(): number {
    return this.#settings.readAheadBytes
  }

  /** A folder for the links of one query; the query makes it. */
  leaseDirectory(): string {
    return join(this.#settings.directory, 'in-use', this.#components.uuid())
  }

  /** Makes `path` a link to a copy of `file`, which may have no bytes yet. */
  async link(file: DataFile, path: string): Promise<LinkedCopy> {
    const base = this.#basePath(file)
    await mkdir(join(this.#settings.directory, 'files'), { recursive: true })
    for (let attempt = 1; ; attempt++) {
      const copy = await openSparseCopy(base, file, this.#components.uuid)
      await copy.list.close()
      try {
        await link(copy.dataPath, path)
        return { file, path, dataPath: copy.dataPath, ranges: [] }
      } catch (error) {
        if (!isCode(error, 'ENOENT') || attempt === attemptsMax) throw cacheError(copy.dataPath, error)
        await removeSparseCopy(copy.dataPath)
      }
    }
  }

  /** The copy with `wanted` in it. */
  async fill(
    copy: LinkedCopy,
    wanted: readonly ByteRange[],
    signal: AbortSignal | undefined,
  ): Promise<LinkedCopy> {
    if (missingRanges(wanted, copy.ranges).length === 0) return copy
    const { dataPath } = copy
    const before = this.#fills.get(dataPath)
    // What somebody else's query failed at is tried again.
    const filled = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#fillNow(copy, wanted, signal))
    this.#fills.set(dataPath, filled)
    try {
      return await filled
    } finally {
      if (this.#fills.get(dataPath) === filled) this.#fills.delete(dataPath)
      await this.#makeRoomInTurn()
    }
  }

  async #fillNow(
    copy: LinkedCopy,
    wanted: readonly ByteRange[],
    signal: AbortSignal | undefined,
  ): Promise<LinkedCopy> {
    const shared = await findSparseCopy(copy.dataPath)
    try {
      const known = shared === undefined ? [] : await presentRanges(shared)
      const present = mergeRanges([...copy.ranges, ...known])
      const missing = mergeRanges(missingRanges(wanted, present), this.readAheadBytes)
      const data = await open(copy.path, 'r+')
      try {
        await this.#fetch(copy.file, missing, data, signal)
        if (shared !== undefined) await listRanges(shared, data, missing)
      } catch (error) {
        // Of a file that cannot be read nothing shall stay.
        if (present.length === 0) await removeSparseCopy(copy.dataPath)
        throw error
      } finally {
        await data.close()
      }
      const now = new Date(this.#components.clock.now())
      await utimes(copy.path, now, now)
      return { ...copy, ranges: mergeRanges([...present, ...missing]) }
    } catch (error) {
      throw cacheError(copy.path, error)
    } finally {
      await shared?.list.close()
    }
  }

  async #fetch(
    file: DataFile,
    ranges: readonly ByteRange[],
    target: FileHandle,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { store } = this.#components
    await forEachBounded(splitRanges(ranges, rangeBytesMax), rangesInFlightMax, async ({ start, end }) => {
      const range = { range: { offset: start, length: end - start } }
      const bytes = await store.get(file.filePath, { ...range, ...(signal === undefined ? {} : { signal }) })
      if (bytes.byteLength !== end - start) throw shortFile(file)
      await target.write(bytes, 0, bytes.byteLength, start)
      this.#bytesSinceCount += bytes.byteLength
      if (this.#bytes !== undefined) this.#bytes += bytes.byteLength
    })
  }

  /** Removes the folders of queries that crashed. */
  async sweep(): Promise<void> {
    const root = join(this.#settings.directory, 'in-use')
    const oldest = this.#components.clock.now() - abandonedAfterMs
    for (const name of await namesIn(root)) {
      const path = join(root, name)
      const info = await statIfPresent(path)
      if (info !== undefined && info.mtimeMs < oldest) await rm(path, { recursive: true, force: true })
    }
  }

  #basePath({ filePath, fileSizeInBytes }: DataFile): string {
    const hash = createHash('sha256').update(`${filePath}\n${fileSizeInBytes}`).digest('hex')
    return join(this.#settings.directory, 'files', hash)
  }

  /** One count at a time: two at once would each miss what the other's files add. */
  #makeRoomInTurn(): Promise<void> {
    const next = this.#makingRoom.catch(() => undefined).then(() => this.#makeRoom())
    this.#makingRoom = next
    return next
  }

  /** Evicts the copies that were used longest ago. */
  async #makeRoom(): Promise<void> {
    const folder = join(this.#settings.directory, 'files')
    if (this.#bytes !== undefined && this.#bytes <= this.#settings.bytesMax) return
    this.#bytesSinceCount = 0
    const copies: { readonly path: string; readonly bytes: number; readonly mtimeMs: number }[] = []
    for (const name of await namesIn(folder)) {
      const path = join(folder, name)
      const info = isData(name) ? await statIfPresent(path) : undefined
      if (info !== undefined) copies.push({ path, bytes: info.bytes, mtimeMs: info.mtimeMs })
    }
    let left = copies.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { path, bytes } of copies.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (left <= this.#settings.bytesMax) break
      await removeSparseCopy(path)
      left -= bytes
    }
    // Too much rather than too little: the next fill then counts again.
    this.#bytes = left + this.#bytesSinceCount
  }
}

/** Bytes that a file takes on disk: holes of a sparse one take none. */
const blockBytes = 512

async function statIfPresent(
  path: string,
): Promise<{ readonly bytes: number; readonly mtimeMs: number } | undefined> {
  try {
    const { blocks, mtimeMs } = await stat(path)
    return { bytes: blocks * blockBytes, mtimeMs }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw cacheError(path, error)
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    throw cacheError(folder, error)
  }
}
