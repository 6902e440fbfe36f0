import { createHash } from 'node:crypto'
import { link, mkdir, open, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { FloeError } from '@floe/iceberg/values'

import { errnoOf } from './file-error.ts'

// A name may have 255 bytes: 60 UTF-16 units take 180 bytes at most, the digest 17, the dots, the id and the suffix 42.
const temporaryNameCharsMax = 60
const digestCharsMax = 16

/** A hidden file beside `path`, on the same file system so that it can be renamed into place. `id` has no dot. */
export function temporaryPath(path: string, id: string): string {
  return join(dirname(path), `.${temporaryStem(path)}.${id}.tmp`)
}

/** What the names of all temporary files of `path` have in common, and those of no other file of its directory. */
export function temporaryStem(path: string): string {
  // Half a surrogate pair is written as U+FFFD: the name that a directory gives back must equal this one.
  const name = basename(path).toWellFormed()
  if (name.length <= temporaryNameCharsMax) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, digestCharsMax)
  return `${name.slice(0, temporaryNameCharsMax).toWellFormed()}-${digest}`
}

/** The stem of a temporary file's name, `undefined` for the name of any other file. */
export function stemOfTemporary(name: string): string | undefined {
  return /^\.(.*)\.[^.]+\.tmp$/s.exec(name)?.[1]
}

/** Creates and opens a new file, with its directories when they are missing. */
export async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  await createDirectory(dirname(path))
  return open(path, 'wx')
}

/** Makes the temporary file the object at `path`, replacing what is there. Durable when it resolves. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

/**
 * Makes the temporary file the object at `path` unless there is one. link(2) is the atomic test-and-set: it fails
 * with EEXIST, where rename(2) would replace.
 */
export async function publishFileIfAbsent(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') return false
    if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'ENOSYS') throw noHardLinks(path, error)
    throw error
  }
  await removeFile(temporary)
  await syncDirectory(dirname(path))
  return true
}

/** Nothing happens when it is not there. One call of the system, where rm() looks first. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** mkdir -p, with every new directory entry on disk. */
async function createDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; ; made = dirname(made)) {
    await syncDirectory(dirname(made))
    if (made === first || made === dirname(made)) return
  }
}

/** fsync(2) of a directory: without it a crash may lose a rename that has returned. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems have no fsync of directories; their renames are durable on the server.
    const errno = errnoOf(error)
    if (errno !== 'EINVAL' && errno !== 'ENOTSUP') throw error
  } finally {
    await handle.close()
  }
}

function noHardLinks(path: string, cause: unknown): FloeError {
  return new FloeError('unsupported', `the file system of ${path} has no hard links`, {
    hint: 'an atomic put-if-absent needs them: keep the warehouse on a POSIX file system',
    cause,
  })
}
