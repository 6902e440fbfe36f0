import { openCopyReader } from './copy-reader.ts'
import { cancelledError } from './source-reader.ts'
import type { SourceReader, SourceReaderOptions } from './source-reader.ts'

/**
 * Opens a session on the snapshot. Both methods give the same batches.
 * @throws unavailable, permission-denied, not-found (the snapshot is gone), cancelled
 */
export async function openSourceReader(options: SourceReaderOptions): Promise<SourceReader> {
  if (options.signal?.aborted === true) throw cancelledError(options.signal.reason)
  if (options.method === 'copy') return openCopyReader(options)
  const { openCursorReader } = await import('./cursor-reader.ts')
  return openCursorReader(options)
}
