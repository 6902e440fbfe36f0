import { createHash } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'

import { FloeError, toFloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import { locationToFilePath, schemeOf } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'

/** Bytes that cached copies of remote files may take on disk. */
export const cacheBytesMaxDefault: number = 10 * 1024 ** 3

/** Bytes of one ranged read, and ranged reads at a time per file: the memory that a download takes. */
const rangeBytes = 8 * 1024 * 1024
const rangesInFlightMax = 3

/** Files downloaded at a time by one query. */
const downloadsInFlightMax = 4

/** Other processes may evict a file between its download and our link to it; then it is downloaded again. */
const attemptsMax = 3

/** Folders of queries that ended without cleaning up leave after this. */
const abandonedAfterMs = 24 * 60 * 60 * 1000

export type CacheSettings = { readonly directory: string; readonly bytesMax: number }
export type CacheComponents = {
  readonly store: ObjectStore
  readonly clock: { now(): number }
  readonly uuid: () => string
}

/**
 * Local paths of immutable files. Local files are read where they are; all others through whole copies in a folder
 * that processes may share: a copy appears by rename, and a query holds hard links of its own to what it reads, so an
 * eviction by anybody takes nothing away from it.
 */
export class FileCache {
  readonly #settings: CacheSettings
  readonly #components: CacheComponents
  readonly #downloads = new Map<string, Promise<void>>()
  /** Copies that are about to be linked, with how many want them: nobody here evicts those. */
  readonly #wanted = new Map<string, number>()
  /** Bytes of all copies as last counted, plus what was added since; `undefined` before the first count. */
  #bytes: number | undefined
  /** Bytes of copies that came while a count was under way, which may or may not have seen them. */
  #bytesSinceCount = 0
  #makingRoom: Promise<void> = Promise.resolve()

  constructor(settings: CacheSettings, components: CacheComponents) {
    this.#settings = settings
    this.#components = components
  }

  /** A holder of files for one query. */
  lease(): FileLease {
    return new FileLease(join(this.#settings.directory, 'in-use', this.#components.uuid()), this)
  }

  /** Makes `path` a link to a whole copy of `file`. */
  async linkCopy(file: DataFile, path: string, signal: AbortSignal | undefined): Promise<void> {
    const copy = this.#copyPath(file)
    this.#wanted.set(copy, (this.#wanted.get(copy) ?? 0) + 1)
    try {
      await this.#linkWanted(file, copy, path, signal)
    } finally {
      const others = (this.#wanted.get(copy) ?? 1) - 1
      if (others === 0) this.#wanted.delete(copy)
      else this.#wanted.set(copy, others)
    }
    await this.#makeRoomInTurn()
  }

  async #linkWanted(
    file: DataFile,
    copy: string,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (!(await exists(copy))) await this.#downloadOnce(file, copy, signal)
      try {
        await link(copy, path)
        const now = new Date(this.#components.clock.now())
        await utimes(path, now, now)
        return
      } catch (error) {
        if (!isMissing(error) || attempt === attemptsMax) throw cacheError(copy, error)
      }
    }
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

  #copyPath({ filePath, fileSizeInBytes }: DataFile): string {
    const hash = createHash('sha256').update(`${filePath}\n${fileSizeInBytes}`).digest('hex')
    return join(this.#settings.directory, 'files', hash)
  }

  async #downloadOnce(file: DataFile, copy: string, signal: AbortSignal | undefined): Promise<void> {
    const running = this.#downloads.get(copy)
    // A download that somebody else's cancelled query started fails for them alone.
    if (running !== undefined) return running.catch(() => this.#downloadOnce(file, copy, signal))
    const download = this.#download(file, copy, signal).finally(() => this.#downloads.delete(copy))
    this.#downloads.set(copy, download)
    return download
  }

  async #download(file: DataFile, copy: string, signal: AbortSignal | undefined): Promise<void> {
    const folder = join(this.#settings.directory, 'files')
    await mkdir(folder, { recursive: true })
    const partial = `${copy}.${this.#components.uuid()}.partial`
    try {
      await this.#downloadTo(file, partial, signal)
      await rename(partial, copy)
    } catch (error) {
      await rm(partial, { force: true })
      throw error instanceof FloeError ? error : cacheError(copy, error)
    }
    this.#bytesSinceCount += file.fileSizeInBytes
    if (this.#bytes !== undefined) this.#bytes += file.fileSizeInBytes
  }

  async #downloadTo(file: DataFile, path: string, signal: AbortSignal | undefined): Promise<void> {
    const { filePath, fileSizeInBytes } = file
    const target = await open(path, 'wx', 0o600)
    try {
      const offsets = Array.from(
        { length: Math.ceil(fileSizeInBytes / rangeBytes) },
        (_, at) => at * rangeBytes,
      )
      await forEachBounded(offsets, rangesInFlightMax, async (offset) => {
        const length = Math.min(rangeBytes, fileSizeInBytes - offset)
        const range = { range: { offset, length }, ...(signal === undefined ? {} : { signal }) }
        const bytes = await this.#components.store.get(filePath, range)
        if (bytes.byteLength !== length) throw shortFile(file)
        await target.write(bytes, 0, length, offset)
      })
    } finally {
      await target.close()
    }
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
    const copies: { readonly path: string; readonly size: number; readonly mtimeMs: number }[] = []
    for (const name of await namesIn(folder)) {
      const path = join(folder, name)
      const info = name.endsWith('.partial') ? undefined : await statIfPresent(path)
      if (info !== undefined) copies.push({ path, size: info.size, mtimeMs: info.mtimeMs })
    }
    let bytes = copies.reduce((sum, { size }) => sum + size, 0)
    for (const { path, size } of copies.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (bytes <= this.#settings.bytesMax) break
      if (this.#wanted.has(path)) continue
      await rm(path, { force: true })
      bytes -= size
    }
    // Too much rather than too little: the next file then counts again.
    this.#bytes = bytes + this.#bytesSinceCount
  }
}

/** The files that one query reads. `release` lets go of them. */
export class FileLease {
  readonly #directory: string
  readonly #cache: FileCache
  readonly #paths = new Map<string, string>()
  #made: Promise<unknown> | undefined

  constructor(directory: string, cache: FileCache) {
    this.#directory = directory
    this.#cache = cache
  }

  /** Every path that was handed out. */
  get paths(): readonly string[] {
    return [...this.#paths.values()]
  }

  /** Makes the files readable at local paths, a few at a time. */
  async hold(files: readonly DataFile[], signal?: AbortSignal): Promise<void> {
    const fresh = new Map(
      files.filter(({ filePath }) => !this.#paths.has(filePath)).map((file) => [file.filePath, file]),
    )
    await forEachBounded([...fresh.values()], downloadsInFlightMax, async (file) => {
      this.#paths.set(file.filePath, await this.#localPath(file, signal))
    })
  }

  /** Local path of a held file. */
  pathOf({ filePath }: DataFile): string {
    const path = this.#paths.get(filePath)
    if (path === undefined)
      throw new FloeError('internal', `${filePath} was not made local before it was read`)
    return path
  }

  async release(): Promise<void> {
    if (this.#made !== undefined) await rm(this.#directory, { recursive: true, force: true })
  }

  async #localPath(file: DataFile, signal: AbortSignal | undefined): Promise<string> {
    const { filePath } = file
    const path = join(this.#directory, createHash('sha256').update(filePath).digest('hex'))
    if (schemeOf(filePath) !== 'file') {
      await this.#makeDirectory()
      await this.#cache.linkCopy(file, path, signal)
      return path
    }
    const local = locationToFilePath(filePath)
    if (!(await exists(local))) throw missingFile(filePath)
    // DuckDB takes these characters for a pattern of many files.
    if (!/[*?[\]{}]/.test(local)) return local
    await this.#makeDirectory()
    await symlink(local, path)
    return path
  }

  async #makeDirectory(): Promise<void> {
    this.#made ??= mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await this.#made
  }
}

/** Calls a few at a time. After a failure nothing new starts, and what runs is waited for. */
async function forEachBounded<Item>(
  items: readonly Item[],
  inFlightMax: number,
  call: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (const item of waiting) {
      if (failures.length > 0) return
      await call(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlightMax, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}

async function exists(path: string): Promise<boolean> {
  return (await statIfPresent(path)) !== undefined
}

async function statIfPresent(
  path: string,
): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw cacheError(path, error)
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw cacheError(folder, error)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function missingFile(location: string): FloeError {
  return new FloeError('not-found', `the table's file ${location} is gone`, {
    hint: 'read a newer snapshot: files of expired snapshots are removed',
  })
}

function shortFile({ filePath, fileSizeInBytes }: DataFile): FloeError {
  return new FloeError(
    'corrupt-data',
    `${filePath} is not ${fileSizeInBytes} bytes long, as its manifest says`,
  )
}

function cacheError(path: string, error: unknown): FloeError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC') {
    return new FloeError('resource-exhausted', `no space for a copy at ${path}`, {
      hint: 'set cacheBytesMax lower, or cacheDirectory to a larger disk',
      cause: error,
    })
  }
  const denied = code === 'EACCES' || code === 'EPERM'
  return new FloeError(
    denied ? 'permission-denied' : 'unavailable',
    `cannot use ${path}: ${toFloeError(error).message}`,
    {
      hint: 'check cacheDirectory and who may write there',
      cause: error,
    },
  )
}
