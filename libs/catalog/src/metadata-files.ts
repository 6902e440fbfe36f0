import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { FloeError, parseTableMetadata, parseViewMetadata, toFloeError } from '@floe/iceberg'
import { serializeTableMetadata, serializeViewMetadata } from '@floe/iceberg'
import type { TableMetadata, ViewMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { BoundedCache } from './bounded-cache.ts'
import type { RelationKind } from './catalog-error.ts'
import type { CatalogSignal } from './catalog-signal.ts'

const gunzipAsync = promisify(gunzip)
const gzipAsync = promisify(gzip)

/** What the metadata files of one kind of relation hold. */
export type MetadataFormat<M> = {
  readonly kind: RelationKind
  readonly parse: (text: string) => M
  readonly serialize: (metadata: M) => string
  readonly uuidOf: (metadata: M) => string
}

export const tableFormat: MetadataFormat<TableMetadata> = {
  kind: 'table',
  parse: parseTableMetadata,
  serialize: serializeTableMetadata,
  uuidOf: ({ tableUuid }) => tableUuid,
}

export const viewFormat: MetadataFormat<ViewMetadata> = {
  kind: 'view',
  parse: parseViewMetadata,
  serialize: serializeViewMetadata,
  uuidOf: ({ viewUuid }) => viewUuid,
}

/** Metadata files are immutable, so what was parsed once stays right for its location. */
export class MetadataFiles<M> {
  readonly format: MetadataFormat<M>
  readonly #store: ObjectStore
  readonly #cache: BoundedCache<string, Promise<M>>

  readonly #onSignal: ((signal: CatalogSignal) => void) | undefined

  constructor(
    store: ObjectStore,
    format: MetadataFormat<M>,
    cacheEntriesMax: number,
    onSignal?: (signal: CatalogSignal) => void,
  ) {
    this.#onSignal = onSignal
    this.format = format
    this.#store = store
    this.#cache = new BoundedCache(cacheEntriesMax)
  }

  /** @throws FloeError not-found when there is no such file, corrupt-data when it is no such metadata */
  async load(location: string): Promise<M> {
    const cached = this.#cache.get(location)
    this.#onSignal?.(cached === undefined ? 'metadata-cache-miss' : 'metadata-cache-hit')
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

  /** A file that somebody else has written, to be registered. @throws FloeError invalid-input when there is none */
  async loadForeign(location: string): Promise<M> {
    const metadata = await this.load(location).catch((error: unknown) => {
      // For the caller `not-found` is a missing namespace; a missing file is a wrong argument.
      if (!(error instanceof FloeError) || error.code !== 'not-found') throw error
      throw new FloeError('invalid-input', `there is no metadata file at ${location}`, { cause: error })
    })
    if (this.format.uuidOf(metadata) !== '') return metadata
    throw new FloeError('unsupported', `the table at ${location} has no uuid`, {
      hint: 'commit to it once with a writer that assigns one (format version 1 did not ask for it)',
    })
  }

  /** @throws FloeError already-exists when there is an object at the location */
  async write(location: string, metadata: M): Promise<void> {
    const text = new TextEncoder().encode(this.format.serialize(metadata))
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

  /**
   * As `load`, and notices that a file of the local disk is gone although it was read before: looking costs next to
   * nothing there. Elsewhere it would cost a request for each load, and what is in memory counts.
   */
  async loadPresent(location: string): Promise<M> {
    const isLooked = /^(?:file:|\/)/.test(location) && this.#cache.get(location) !== undefined
    if (isLooked && (await this.#store.head(location)) === undefined) this.#cache.delete(location)
    return this.load(location)
  }

  /** The metadata that `write` has made visible, ready for the next `load`; nobody loads what it takes the place of. */
  remember(location: string, metadata: M, replaced?: string): void {
    if (replaced !== undefined) this.#cache.delete(replaced)
    this.#cache.set(location, Promise.resolve(metadata))
  }

  /** Removes what can be removed: a file that stays is an orphan, not a failure of what was done. */
  async remove(locations: readonly string[]): Promise<void> {
    for (const location of locations) this.#cache.delete(location)
    if (locations.length > 0) await this.#store.delete(locations).catch(() => undefined)
  }

  async #read(location: string): Promise<M> {
    const bytes = await this.#store.get(location)
    try {
      const text = isGzip(bytes) ? await gunzipAsync(bytes) : bytes
      return this.format.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
    } catch (error) {
      const { code, hint } = toFloeError(error)
      throw new FloeError(
        code === 'unsupported' ? code : 'corrupt-data',
        `${location} cannot be read as ${this.format.kind} metadata`,
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
