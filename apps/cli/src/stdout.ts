import { once } from 'node:events'

/** Writes to stdout and waits while its reader is slow, so that a long result never piles up in memory. */
export async function writeStdout(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
