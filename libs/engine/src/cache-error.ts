import { FloeError, toFloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'

export function missingFile(location: string): FloeError {
  return new FloeError('not-found', `the table's file ${location} is gone`, {
    hint: 'read a newer snapshot: files of expired snapshots are removed',
  })
}

export function shortFile({ filePath, fileSizeInBytes }: DataFile): FloeError {
  return new FloeError(
    'corrupt-data',
    `${filePath} is not ${fileSizeInBytes} bytes long, as its manifest says`,
  )
}

/** What the disk says of the cache, with what to do about it; errors of stores pass as they are. */
export function cacheError(path: string, error: unknown): FloeError {
  if (error instanceof FloeError) return error
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
