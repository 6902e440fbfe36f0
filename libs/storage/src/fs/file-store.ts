import { randomUUID } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

import { checkRange, missingObject, shortObject } from '../byte-range.ts'
import type { ByteRange } from '../byte-range.ts'
import { throwIfCancelled } from '../cancellation.ts'
import type { ObjectStore } from '../object-store.ts'
import { createFile, publishFile, publishFileIfAbsent, removeFile, temporaryPath } from './durable-file.ts'
import { discardUploads } from './discard-uploads.ts'
import { errnoOf, fileError } from './file-error.ts'
import { FileUpload } from './file-upload.ts'
import { fileInfo, isAbsent, listFiles } from './list-files.ts'
import { objectPath } from './object-path.ts'

/** One read(2) takes at most 2 GiB; a cancelled reader stops after one of these. */
const readBytesMax = 64 * 1024 * 1024

/** `uniqueName` names temporary files: no two processes may ever get the same. */
export type FileStoreComponents = { readonly uniqueName: () => string }

/** Objects as files of the local file system. A write is on disk, with its directory entry, when it resolves. */
export function openFileStore(
  components: FileStoreComponents = { uniqueName: () => randomUUID() },
): ObjectStore {
  const stage = async (
    location: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Staged> => {
    const path = objectPath(location, signal)
    return { path, temporary: await writeTemporary(temporaryPath(path, components.uniqueName()), bytes) }
  }
  return {
    get: (location, { range, signal } = {}) => readObject(location, range, signal),
    head: async (location, { signal } = {}) => fileInfo(objectPath(location, signal), location),
    put: (location, bytes, { signal } = {}) =>
      writing(location, async () => {
        const { temporary, path } = await stage(location, bytes, signal)
        await orRemove(temporary, publishFile(temporary, path))
      }),
    putIfAbsent: (location, bytes, { signal } = {}) =>
      writing(location, async () => {
        const { temporary, path } = await stage(location, bytes, signal)
        const created = await orRemove(temporary, publishFileIfAbsent(temporary, path))
        if (!created) await removeFile(temporary)
        return created
      }),
    openUpload: (location, { signal } = {}) =>
      writing(location, async () => {
        const path = objectPath(location, signal)
        const temporary = temporaryPath(path, components.uniqueName())
        return new FileUpload(location, { handle: await createFile(temporary), temporary, path }, signal)
      }),
    list: listFiles,
    delete: async (locations, { signal } = {}) => {
      for (const location of locations) await deleteFile(location, signal)
    },
    discardUploads,
  }
}

type Staged = { readonly path: string; readonly temporary: string }

/** Writes a whole file and waits until it is on disk; leaves nothing when it fails. */
async function writeTemporary(temporary: string, bytes: Uint8Array): Promise<string> {
  const handle = await createFile(temporary)
  try {
    await orRemove(
      temporary,
      handle.writeFile(bytes).then(() => handle.sync()),
    )
  } finally {
    await handle.close()
  }
  return temporary
}

async function orRemove<T>(temporary: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    await removeFile(temporary).catch(() => {})
    throw error
  }
}

async function readObject(
  location: string,
  range: ByteRange | undefined,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const path = objectPath(location, signal)
  checkRange(range, location)
  try {
    const handle = await open(path, 'r')
    try {
      const found = await handle.stat()
      if (!found.isFile()) throw missingObject(location)
      const wanted = range ?? { offset: 0, length: found.size }
      if (wanted.offset + wanted.length > found.size) throw shortObject(location, wanted, found.size)
      return await readRange(handle, wanted, location, signal)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (isAbsent(error)) throw missingObject(location, error)
    throw fileError(error, 'read', location)
  }
}

async function readRange(
  handle: FileHandle,
  range: ByteRange,
  location: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length)
  let filled = 0
  while (filled < range.length) {
    throwIfCancelled(signal, location)
    const length = Math.min(range.length - filled, readBytesMax)
    const { bytesRead } = await handle.read(bytes, filled, length, range.offset + filled)
    if (bytesRead === 0) throw shortObject(location, range)
    filled += bytesRead
  }
  return bytes
}

async function deleteFile(location: string, signal: AbortSignal | undefined): Promise<void> {
  const path = objectPath(location, signal)
  try {
    await unlink(path)
  } catch (error) {
    // unlink(2) of a directory is EISDIR on Linux and EPERM elsewhere; a directory is no object.
    if (isAbsent(error) || errnoOf(error) === 'EISDIR') return
    throw fileError(error, 'delete', location)
  }
}

async function writing<T>(location: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw fileError(error, 'write', location)
  }
}
