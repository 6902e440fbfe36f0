import type { ObjectStore } from '@floe/storage'

/** Files that one commit writes and that nothing refers to until it succeeds: a known failure removes them all. */
export class StagedFiles {
  readonly #store: ObjectStore
  readonly #locations: string[] = []

  constructor(store: ObjectStore) {
    this.#store = store
  }

  async put(location: string, bytes: Uint8Array): Promise<void> {
    // Before the write: a put whose answer is lost may have left the object there.
    this.#locations.push(location)
    await this.#store.put(location, bytes)
  }

  /** Best effort: the error that led here matters more, and orphans are found by their absence from every snapshot. */
  async removeAll(): Promise<void> {
    await this.#store.delete(this.#locations).catch(() => undefined)
  }
}
