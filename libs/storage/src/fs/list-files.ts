import { readdir, stat } from 'node:fs/promises'
import type { Dirent } from 'node:fs'

import { throwIfCancelled } from '../cancellation.ts'
import { locationToFilePath } from '../location.ts'
import type { CallOptions, ObjectInfo } from '../object-store.ts'
import { stemOfTemporary } from './durable-file.ts'
import { errnoOf, fileError } from './file-error.ts'

/**
 * Every file whose location starts with `prefix`, spelled as `prefix` spells it (`file:/`, `file:///` or bare).
 * Files and directories that vanish meanwhile are left out; links to directories are not followed.
 * @yields one file each, directory by directory
 */
export async function* listFiles(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectInfo> {
  const pathPrefix = locationToFilePath(prefix)
  const spelling = prefix.slice(0, prefix.length - pathPrefix.length)
  const directories = [pathPrefix.slice(0, pathPrefix.lastIndexOf('/') + 1)]
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    throwIfCancelled(signal, prefix)
    for (const entry of await entriesOf(directory, prefix)) {
      const path = `${directory}${entry.name}`
      if (entry.isDirectory()) {
        const inside = `${path}/`
        if (inside.startsWith(pathPrefix) || pathPrefix.startsWith(inside)) directories.push(inside)
      } else if (path.startsWith(pathPrefix) && stemOfTemporary(entry.name) === undefined) {
        const info = await fileInfo(path, `${spelling}${path}`)
        if (info !== undefined) yield info
      }
    }
  }
}

/** What is known of the regular file at `path`, `undefined` when there is none. */
export async function fileInfo(path: string, location: string): Promise<ObjectInfo | undefined> {
  try {
    const found = await stat(path)
    if (!found.isFile()) return undefined
    return { location, sizeBytes: found.size, lastModifiedMs: found.mtimeMs }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw fileError(error, 'read', location)
  }
}

/** True for the errors that say that nothing has this name. */
export function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ENOTDIR'
}

async function entriesOf(directory: string, location: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw fileError(error, 'list', location)
  }
}
