import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { FloeError, parseTableMetadata, serializeTableMetadata, toFloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { BoundedCache } from '../bounded-cache.ts'

const gunzipAsync = promisify(gunzip)
const gzipAsync = promisify(gzip)

/** Metadata files are immutable, so what was parsed once stays right for its location. */
export class MetadataFiles {
  readonly #store: ObjectStore
  readonly #cache: BoundedCache<string, Promise<TableMetadata>>

  constructor(store: ObjectStore, cacheEntriesMax: number) {
    this.#store = store
    this.#cache = new BoundedCache(cacheEntriesMax)
  }

  /** @throws FloeError not-found when there is no such file, corrupt-data when it is no table metadata */
  async load(location: string): Promise<TableMetadata> {
    const cached = this.#cache.get(location)
    if (cached !== undefined) return cached
    // The promise is cached, not the value: callers that come at once share one read.
    const reading = this.#read(location)
    this.#cache.set(location, reading)
    try {
      return await reading
    } catch (error) {
      this.#cache.delete(location)
      throw error
    }
  }

  /** @throws FloeError already-exists when there is an object at the location */
  async write(location: string, metadata: TableMetadata): Promise<void> {
    const text = new TextEncoder().encode(serializeTableMetadata(metadata))
    const bytes = isGzipName(location) ? await gzipAsync(text) : text
    if (!(await this.#store.putIfAbsent(location, bytes))) {
      throw new FloeError(
        'already-exists',
        `there is an object at ${location} that this commit did not write`,
        {
          retryable: true,
          hint: 'commit again',
        },
      )
    }
  }

  /** The metadata that `write` has made visible, ready for the next `load`. */
  remember(location: string, metadata: TableMetadata): void {
    this.#cache.set(location, Promise.resolve(metadata))
  }

  /** Removes what can be removed: a file that stays is an orphan, not a failure of what was done. */
  async remove(locations: readonly string[]): Promise<void> {
    for (const location of locations) this.#cache.delete(location)
    if (locations.length > 0) await this.#store.delete(locations).catch(() => undefined)
  }

  async #read(location: string): Promise<TableMetadata> {
    const bytes = await this.#store.get(location)
    try {
      const text = isGzip(bytes) ? await gunzipAsync(bytes) : bytes
      return parseTableMetadata(new TextDecoder('utf-8', { fatal: true }).decode(text))
    } catch (error) {
      const { code, hint } = toFloeError(error)
      throw new FloeError(
        code === 'unsupported' ? code : 'corrupt-data',
        `${location} cannot be read as table metadata`,
        {
          ...(hint === undefined ? {} : { hint }),
          cause: error,
        },
      )
    }
  }
}

// Spec "Naming for GZIP compressed Metadata JSON files".
function isGzipName(location: string): boolean {
  return location.endsWith('.gz.metadata.json')
}

/** By content: Java also reads `.metadata.json.gz`, the name of its older versions. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
