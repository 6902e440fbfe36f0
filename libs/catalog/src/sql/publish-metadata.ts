import { toFloeError } from '@floe/iceberg'
import type { ErrorCode, TableMetadata } from '@floe/iceberg'
import type { MetadataFiles } from './metadata-files.ts'

/** Errors of a store after which its row is surely as it was. */
const surelyUnwritten: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'resource-exhausted',
  'permission-denied',
])

/**
 * Writes a metadata file, then points a row at it. The file is removed again when the row surely does not point at
 * it, and only then: after an unknown outcome it may be the table.
 */
export async function publishMetadata<T>(
  files: MetadataFiles,
  metadata: TableMetadata,
  location: string,
  row: { readonly point: () => Promise<T>; readonly isPointed: (outcome: T) => boolean },
): Promise<T> {
  await files.write(location, metadata)
  let outcome: T
  try {
    outcome = await row.point()
  } catch (error) {
    if (surelyUnwritten.has(toFloeError(error).code)) await files.remove([location])
    throw error
  }
  if (row.isPointed(outcome)) files.remember(location, metadata)
  else await files.remove([location])
  return outcome
}
