import type { FileHandle } from 'node:fs/promises'

import { cancelledError, throwIfCancelled } from '../cancellation.ts'
import type { Upload } from '../object-store.ts'
import { publishFile, removeFile } from './durable-file.ts'
import { fileError } from './file-error.ts'

export type OpenTemporary = { readonly handle: FileHandle; readonly temporary: string; readonly path: string }

/**
 * Streams into a hidden temporary file. One write is behind: `write` resolves when the write before it is done, so
 * that the caller prepares the next bytes meanwhile, and at most two byte arrays are held.
 */
export class FileUpload implements Upload {
  readonly #location: string
  readonly #file: OpenTemporary
  readonly #signal: AbortSignal | undefined
  #sizeBytes = 0
  #written: Promise<void> = Promise.resolve()
  #state: 'open' | 'completed' | 'aborted' = 'open'

  constructor(location: string, file: OpenTemporary, signal: AbortSignal | undefined) {
    this.#location = location
    this.#file = file
    this.#signal = signal
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check()
    this.#sizeBytes += bytes.length
    const before = this.#written
    this.#written = before.then(() => this.#file.handle.writeFile(bytes))
    // The failure belongs to whoever awaits `#written` next; until then nobody may have.
    this.#written.catch(() => {})
    try {
      await before
    } catch (error) {
      throw fileError(error, 'write', this.#location)
    }
  }

  async complete(): Promise<{ readonly sizeBytes: number }> {
    this.#check()
    const { handle, temporary, path } = this.#file
    try {
      await this.#written
      await handle.sync()
      await handle.close()
      this.#check()
      await publishFile(temporary, path)
    } catch (error) {
      await this.abort()
      throw fileError(error, 'write', this.#location)
    }
    this.#state = 'completed'
    return { sizeBytes: this.#sizeBytes }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#written.catch(() => {})
    await this.#file.handle.close().catch(() => {})
    await removeFile(this.#file.temporary).catch(() => {})
  }

  #check(): void {
    throwIfCancelled(this.#signal, this.#location)
    if (this.#state !== 'open') throw cancelledError(this.#location)
  }
}
