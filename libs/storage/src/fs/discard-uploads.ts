import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { throwIfCancelled } from '../cancellation.ts'
import type { CallOptions } from '../object-store.ts'
import { removeFile, stemOfTemporary, temporaryStem } from './durable-file.ts'
import { fileError } from './file-error.ts'
import { isAbsent } from './list-files.ts'
import { objectPath } from './object-path.ts'

/** Removes the temporary files of these locations, reading each directory once. */
export async function discardUploads(
  locations: readonly string[],
  { signal }: CallOptions = {},
): Promise<void> {
  const places = locations.map((location) => ({ location, path: objectPath(location, signal) }))
  for (const [directory, group] of Map.groupBy(places, ({ path }) => dirname(path))) {
    const [{ location }] = group as [(typeof group)[number]]
    throwIfCancelled(signal, location)
    const stems = new Set(group.map(({ path }) => temporaryStem(path)))
    try {
      await removeTemporaries(directory, stems)
    } catch (error) {
      throw fileError(error, 'discard the uploads to', location)
    }
  }
}

async function removeTemporaries(directory: string, stems: ReadonlySet<string>): Promise<void> {
  for (const name of await namesIn(directory)) {
    const stem = stemOfTemporary(name)
    if (stem !== undefined && stems.has(stem)) await removeFile(join(directory, name))
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
