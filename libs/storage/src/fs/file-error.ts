import { FloeError } from '@floe/iceberg/values'

import { missingObject } from '../byte-range.ts'

/** The errno of a failed system call, `undefined` for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What a failed system call on `location` means to the caller. `action` reads "read", "write", ... */
export function fileError(error: unknown, action: string, location: string): FloeError {
  if (error instanceof FloeError) return error
  const errno = errnoOf(error)
  const what = `cannot ${action} ${location}${errno === undefined ? '' : ` (${errno})`}`
  switch (errno) {
    case 'ENOENT':
      return missingObject(location, error)
    case 'ENOSPC':
    case 'EDQUOT':
      return failure(
        'resource-exhausted',
        what,
        error,
        'free space or raise the quota of the file system, then retry',
      )
    case 'EFBIG':
      return failure(
        'resource-exhausted',
        what,
        error,
        'raise the limit of file size (ulimit -f), or write smaller files (write.target-file-size-bytes)',
      )
    case 'EMFILE':
    case 'ENFILE':
      return failure('resource-exhausted', what, error, 'raise the limit of open files (ulimit -n)')
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failure(
        'permission-denied',
        what,
        error,
        'let the user of this process write there, or choose another place',
      )
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENOTEMPTY':
      return failure(
        'invalid-input',
        what,
        error,
        'a file cannot be a directory too: choose another location',
      )
    case 'ENAMETOOLONG':
      return failure('invalid-input', what, error, 'choose a shorter name')
    case 'EIO':
    case 'ESTALE':
    case 'EBUSY':
      return failure('unavailable', what, error, 'check the disk or the network file system, then retry')
    case undefined:
    default:
      return failure('internal', what, error)
  }
}

type FailureCode = 'resource-exhausted' | 'permission-denied' | 'invalid-input' | 'unavailable' | 'internal'

function failure(code: FailureCode, message: string, cause: unknown, hint?: string): FloeError {
  return new FloeError(code, message, hint === undefined ? { cause } : { cause, hint })
}
