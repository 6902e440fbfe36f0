import { FloeError } from '@floe/iceberg/values'

import { throwIfCancelled } from '../cancellation.ts'
import { locationToFilePath } from '../location.ts'

/**
 * The absolute path of an object.
 * @throws `invalid-input` for what names no file, `cancelled` when the signal has fired
 */
export function objectPath(location: string, signal: AbortSignal | undefined): string {
  throwIfCancelled(signal, location)
  const path = locationToFilePath(location)
  if (!path.endsWith('/')) return path
  throw new FloeError('invalid-input', `${location} names a directory, not an object`, {
    hint: 'leave the slash at the end away',
  })
}
