import { once } from 'node:events'
import { FloeError } from '@floe/iceberg'

/** Writes to stdout and waits while its reader is slow, so that a long result never piles up in memory. */
export async function writeStdout(text: string): Promise<void> {
  if (hasLeft) throw readerLeft()
  if (process.stdout.write(text)) return
  try {
    await once(process.stdout, 'drain')
  } catch (cause) {
    throw hasLeft ? readerLeft() : cause
  }
}

let hasLeft = false

/** A reader that has seen enough (`floe sql ... | head`) is no failure: the command is ended, and its parts are closed. */
export function watchStdout(onLeave: () => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    hasLeft = true
    onLeave()
  })
}

export function hasReaderLeft(): boolean {
  return hasLeft
}

function readerLeft(): FloeError {
  return new FloeError('cancelled', 'nobody reads stdout any more')
}
