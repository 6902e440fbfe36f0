import type { FileHandle } from 'node:fs/promises'

import { cancelledError, throwIfCancelled } from '../cancellation.ts'
import type { Upload } from '../object-store.ts'
import { publishFile, removeFile } from './durable-file.ts'
import { fileError } from './file-error.ts'

export type OpenTemporary = { readonly handle: FileHandle; readonly temporary: string; readonly path: string }

/**
 * The disk is told to keep what was written whenever this much has gathered, while more is prepared: a caller at the end
 * of its upload waits for the rest alone (75 MB at once took 0.2 to 0.7 s).
 */
const unsyncedBytesMax = 16 * 1024 * 1024

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
  #unsyncedBytes = 0
  #synced: Promise<void> = Promise.resolve()
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
    this.#written = before.then(() => this.#append(bytes))
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
      await this.#synced
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
    await this.#synced.catch(() => {})
    await this.#file.handle.close().catch(() => {})
    await removeFile(this.#file.temporary).catch(() => {})
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const { handle } = this.#file
    await handle.writeFile(bytes)
    this.#unsyncedBytes += bytes.length
    if (this.#unsyncedBytes < unsyncedBytesMax) return
    this.#unsyncedBytes = 0
    // One after the other. The kernel tells of a failed write once: this answer counts, and `complete` asks for it.
    this.#synced = this.#synced.then(() => handle.datasync())
    this.#synced.catch(() => {})
  }

  #check(): void {
    throwIfCancelled(this.#signal, this.#location)
    if (this.#state !== 'open') throw cancelledError(this.#location)
  }
}
