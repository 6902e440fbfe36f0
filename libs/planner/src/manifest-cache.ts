import { FloeError } from '@floe/iceberg'

/** Bytes of manifests and manifest lists, as stored, whose decoded form is kept. */
export const manifestCacheBytesMax: number = 64 * 1024 * 1024

type Entry = { readonly value: Promise<unknown>; bytes: number }

/**
 * Decoded manifests and manifest lists by location. They never change, so nothing is ever stale; the least recently
 * used leave when the bytes they were decoded from exceed the bound. Readers of one location share one load.
 */
export class ManifestCache {
  readonly #bytesMax: number
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(settings: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = settings.bytesMax ?? manifestCacheBytesMax
    if (this.#bytesMax < 0)
      throw new FloeError('invalid-input', 'bytesMax of a manifest cache must not be negative')
  }

  /** What `load` gave for this key; its `bytes` count against the bound. A failed load is not kept. */
  async get<Value>(
    key: string,
    load: () => Promise<{ readonly value: Value; readonly bytes: number }>,
  ): Promise<Value> {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known.value as Promise<Value>
    }
    const loading = load()
    const loaded = loading.then(({ value }) => value)
    // Whoever shares this load sees its failure; when nobody does, `loading` below reports it.
    loaded.catch(() => undefined)
    const entry: Entry = { value: loaded, bytes: 0 }
    this.#entries.set(key, entry)
    try {
      const { value, bytes } = await loading
      this.#keep(key, entry, bytes)
      return value
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
  }

  #keep(key: string, entry: Entry, bytes: number): void {
    if (this.#entries.get(key) !== entry) return
    entry.bytes = bytes
    this.#bytes += bytes
    for (const [oldKey, old] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return
      this.#entries.delete(oldKey)
      this.#bytes -= old.bytes
    }
  }
}
