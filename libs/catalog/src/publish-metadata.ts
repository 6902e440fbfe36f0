import { toFloeError } from '@floe/iceberg'
import type { ErrorCode } from '@floe/iceberg'
import type { MetadataFiles } from './metadata-files.ts'

/** Errors of a store after which its rows are surely as they were. */
const surelyUnwritten: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'resource-exhausted',
  'permission-denied',
  'invalid-input',
])

export type NewMetadata<M> = {
  readonly metadata: M
  readonly location: string
  /** Where the metadata is that this one takes the place of. */
  readonly replaced?: string | undefined
}

/**
 * Writes metadata files, then points rows at them. The files are removed again when the rows surely do not point at
 * them, and only then: after an unknown outcome they may be the tables.
 */
export async function publishMetadata<M, T>(
  files: MetadataFiles<M>,
  added: readonly NewMetadata<M>[],
  rows: { readonly point: () => Promise<T>; readonly isPointed: (outcome: T) => boolean },
): Promise<T> {
  await writeAll(files, added)
  const locations = added.map(({ location }) => location)
  let outcome: T
  try {
    outcome = await rows.point()
  } catch (error) {
    if (surelyUnwritten.has(toFloeError(error).code)) await files.remove(locations)
    throw error
  }
  if (!rows.isPointed(outcome)) await files.remove(locations)
  else for (const { location, metadata, replaced } of added) files.remember(location, metadata, replaced)
  return outcome
}

/** All of the files or, when one fails, none of them. */
async function writeAll<M>(files: MetadataFiles<M>, added: readonly NewMetadata<M>[]): Promise<void> {
  const writes = await Promise.allSettled(
    added.map(({ location, metadata }) => files.write(location, metadata)),
  )
  const failure = writes.find((write) => write.status === 'rejected')
  if (failure === undefined) return
  await files.remove(
    added.filter((_, at) => writes[at]?.status === 'fulfilled').map(({ location }) => location),
  )
  throw failure.reason
}
