import { constants, link, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

import type { DataFile } from '@floe/iceberg'

import type { ByteRange } from './byte-ranges.ts'

/**
 * A local file of the size of a remote one, holding some of its bytes at their own offsets, and beside it a list of
 * which. Any number of processes may fill it at once: all write the same bytes, and a range is listed after it is on
 * disk. The list names its file, whose name is never used again, so that a list is never believed of another file.
 *
 *     <hash>.ranges      c0ffee\n \n 0 65536\n ...
 *     <hash>.c0ffee      the bytes
 */
export type SparseCopy = {
  readonly dataPath: string
  /** Kept open: what is appended to it reaches this list, also when another one has taken its name. */
  readonly list: FileHandle
}

const listSuffix = '.ranges'

/** Whether a file of a cache folder holds bytes of a remote file. */
export function isData(name: string): boolean {
  return !name.endsWith(listSuffix) && !name.endsWith('.new')
}

/** Opens the copy at `base`, or makes one that has no bytes yet. Close its `list`. */
export async function openSparseCopy(
  base: string,
  { fileSizeInBytes }: DataFile,
  uuid: () => string,
): Promise<SparseCopy> {
  for (;;) {
    const known = await openKnown(base)
    if (known !== undefined) return known
    const name = uuid()
    const dataPath = `${base}.${name}`
    await writeFile(dataPath, '', { flag: 'wx', mode: 0o600 })
    await truncate(dataPath, fileSizeInBytes)
    await writeFile(`${dataPath}.new`, `${name}\n`, { flag: 'wx', mode: 0o600 })
    const made = await linkUnlessThere(`${dataPath}.new`, base + listSuffix)
    await rm(`${dataPath}.new`)
    if (!made) await rm(dataPath)
  }
}

async function openKnown(base: string): Promise<SparseCopy | undefined> {
  // Without O_CREAT, which every name of this mode has: a list is made whole or not at all.
  const list = await open(base + listSuffix, constants.O_RDWR | constants.O_APPEND).catch(
    (error: unknown) => {
      if (isCode(error, 'ENOENT')) return undefined
      throw error
    },
  )
  return list === undefined ? undefined : { dataPath: `${base}.${await nameIn(list)}`, list }
}

/** The list of the copy at `dataPath`; `undefined` when it has left the cache. */
export async function findSparseCopy(dataPath: string): Promise<SparseCopy | undefined> {
  const copy = await openKnown(baseOf(dataPath))
  if (copy === undefined || copy.dataPath === dataPath) return copy
  await copy.list.close()
  return undefined
}

function baseOf(dataPath: string): string {
  return dataPath.slice(0, dataPath.lastIndexOf('.'))
}

async function nameIn(list: FileHandle): Promise<string> {
  return (await readList(list)).split('\n')[0] ?? ''
}

async function readList(list: FileHandle): Promise<string> {
  const { size } = await list.stat()
  const { buffer } = await list.read(Buffer.alloc(size), 0, size, 0)
  return buffer.toString('utf8')
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    return false
  }
}

/** The ranges that a copy holds. A record that was cut by a crash names less than is there, or nothing. */
export async function presentRanges({ list }: SparseCopy): Promise<readonly ByteRange[]> {
  const [, ...records] = (await readList(list)).split('\n')
  return records.flatMap((record) => {
    const [, start, length] = /^(\d+) (\d+)$/.exec(record) ?? []
    return start === undefined || length === undefined
      ? []
      : [{ start: Number(start), end: Number(start) + Number(length) }]
  })
}

/** Lists ranges that are in the file; `data` is made durable first, since a list may outlive a machine that stops. */
export async function listRanges(
  { list }: SparseCopy,
  data: FileHandle,
  ranges: readonly ByteRange[],
): Promise<void> {
  if (ranges.length === 0) return
  await data.datasync()
  // One write in append mode: records of several processes do not mix.
  await list.write(ranges.map(({ start, end }) => `\n${start} ${end - start}\n`).join(''))
}

/** Takes a copy out of the cache: who holds a link to it, or has it open, keeps it. */
export async function removeSparseCopy(dataPath: string): Promise<void> {
  const listPath = baseOf(dataPath) + listSuffix
  const list = await readFile(listPath, 'utf8').catch(() => '')
  if (dataPath.endsWith(`.${list.split('\n')[0]}`)) await rm(listPath, { force: true })
  await rm(dataPath, { force: true })
}

export function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
