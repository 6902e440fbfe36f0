import { createHash } from 'node:crypto'
import { access, mkdir, open, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { FloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import { locationToFilePath, schemeOf } from '@floe/storage'

import { forEachBounded } from './bounded-calls.ts'
import type { ByteRange } from './byte-ranges.ts'
import { cacheError, missingFile } from './cache-error.ts'
import type { FileCache, LinkedCopy } from './file-cache.ts'
import { isCode } from './sparse-copy.ts'

/** Files that one query fills at a time. */
const fillsInFlightMax = 4

/** Files of at most so many times the read-ahead are read whole, in one request. */
const wholeFactor = 8

/** Footer length and magic bytes, at the end of every Parquet file. */
const tailBytes = 8

/** The files that one query reads: local ones where they are, remote ones by their URLs or as links into the cache. */
export class FileLease {
  readonly #directory: string
  readonly #cache: FileCache
  readonly #urls: ReadonlyMap<string, string>
  readonly #paths = new Map<string, string>()
  readonly #copies = new Map<string, LinkedCopy>()
  #made: Promise<unknown> | undefined

  /** @param urls  those that DuckDB fetches itself */
  constructor(cache: FileCache, urls: ReadonlyMap<string, string> = new Map()) {
    this.#urls = urls
    this.#directory = cache.leaseDirectory()
    this.#cache = cache
  }

  /** Every path that was handed out. */
  get paths(): readonly string[] {
    return [...this.#paths.values()]
  }

  /** Whether every path is where the file itself is, so that it outlives the lease. */
  get isLocal(): boolean {
    return this.#made === undefined && this.#urls.size === 0
  }

  /** Makes the footers of Parquet files readable at local paths, a few at a time. */
  async holdFooters(files: readonly DataFile[], signal?: AbortSignal): Promise<void> {
    await this.#link(files)
    await this.#forEach(files, async (copy) => {
      const { fileSizeInBytes: end } = copy.file
      const { readAheadBytes } = this.#cache
      const isSmall = end <= readAheadBytes * wholeFactor
      // Most footers are no longer than that.
      const start = isSmall ? 0 : Math.max(0, end - Math.max(tailBytes, readAheadBytes))
      const filled = await this.#cache.fill(copy, [{ start, end }], signal)
      const footerStart = await footerStartOf(filled)
      return this.#cache.fill(filled, [{ start: Math.min(start, footerStart), end }], signal)
    })
  }

  /** Makes more of some files readable; local ones are already. */
  async holdRanges(
    rangesOf: ReadonlyMap<DataFile, readonly ByteRange[]>,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#forEach([...rangesOf.keys()], (copy, file) =>
      this.#cache.fill(copy, rangesOf.get(file) ?? [], signal),
    )
  }

  /** Makes files readable as a whole. */
  async holdWhole(files: readonly DataFile[], signal?: AbortSignal): Promise<void> {
    await this.#link(files)
    const whole = files.map((file) => [file, [{ start: 0, end: file.fileSizeInBytes }]] as const)
    await this.holdRanges(new Map(whole), signal)
  }

  /** Whether a held file is read through the cache. */
  isRemote({ filePath }: DataFile): boolean {
    return this.#copies.has(filePath)
  }

  /** Local path of a held file, or its URL. */
  pathOf({ filePath }: DataFile): string {
    const path = this.#paths.get(filePath)
    if (path === undefined)
      throw new FloeError('internal', `${filePath} was not made local before it was read`)
    return path
  }

  async release(): Promise<void> {
    if (this.#made !== undefined) await rm(this.#directory, { recursive: true, force: true })
  }

  async #link(files: readonly DataFile[]): Promise<void> {
    const fresh = new Map(
      files.filter(({ filePath }) => !this.#paths.has(filePath)).map((file) => [file.filePath, file]),
    )
    await forEachBounded([...fresh.values()], fillsInFlightMax, async (file) => {
      this.#paths.set(file.filePath, await this.#localPath(file))
    })
  }

  async #forEach(
    files: readonly DataFile[],
    fill: (copy: LinkedCopy, file: DataFile) => Promise<LinkedCopy>,
  ): Promise<void> {
    await forEachBounded(files, fillsInFlightMax, async (file) => {
      const copy = this.#copies.get(file.filePath)
      if (copy !== undefined) this.#copies.set(file.filePath, await fill(copy, file))
    })
  }

  async #localPath(file: DataFile): Promise<string> {
    const { filePath } = file
    const url = this.#urls.get(filePath)
    if (url !== undefined) return url
    const path = join(this.#directory, createHash('sha256').update(filePath).digest('hex'))
    if (schemeOf(filePath) !== 'file') {
      await this.#makeDirectory()
      this.#copies.set(filePath, await this.#cache.link(file, path))
      return path
    }
    const local = locationToFilePath(filePath)
    await access(local).catch((error: unknown) => {
      throw isCode(error, 'ENOENT') ? missingFile(filePath) : cacheError(local, error)
    })
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

/** Where the footer of a copy begins whose end is there; DuckDB says what is wrong with a file that has none. */
async function footerStartOf({ path, file }: LinkedCopy): Promise<number> {
  const { fileSizeInBytes: end } = file
  if (end < tailBytes) return 0
  const data = await open(path, 'r')
  try {
    const { buffer } = await data.read(Buffer.alloc(tailBytes), 0, tailBytes, end - tailBytes)
    return Math.max(0, end - tailBytes - buffer.readUInt32LE(0))
  } finally {
    await data.close()
  }
}
