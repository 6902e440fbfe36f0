import { FloeError } from '@floe/iceberg/values'

import { schemeOf } from './location.ts'
import type { Scheme } from './location.ts'
import type { CallOptions, ObjectInfo, ObjectStore, StoragePlace, StoreSettings } from './object-store.ts'
import { findPlace } from './place.ts'

/** A store with a lifetime: `close` lets go of sockets. Objects stay. */
export interface OpenObjectStore extends ObjectStore, AsyncDisposable {
  /** From now on these hold for their prefixes. A place that can renew its keys keeps those that it has. */
  addPlaces(places: readonly StoragePlace[]): void
  /** What another thread opens to work as this store does, with every place that has been added. */
  currentSettings(): StoreSettings
  close(): Promise<void>
}

type Adapter = { readonly store: ObjectStore; close(): void }

/**
 * One store for every location Floe knows: each call goes to the adapter of its location's scheme. An adapter is
 * loaded on its first use, so that a process that reads local files never loads the S3 client.
 * @throws (each call) `unsupported` for a foreign scheme, `invalid-input` for what is no location
 */
export function openObjectStore(settings: StoreSettings = {}): OpenObjectStore {
  const adapters = new AdapterSet(settings)
  const at = async (location: string): Promise<ObjectStore> => adapters.at(location)
  const groups = (locations: readonly string[]): Map<string, string[]> =>
    Map.groupBy(locations, (location) => adapters.keyOf(location))
  const close = async (): Promise<void> => adapters.close()
  return {
    get: async (location, options) => (await at(location)).get(location, options),
    head: async (location, options) => (await at(location)).head(location, options),
    put: async (location, bytes, options) => (await at(location)).put(location, bytes, options),
    putIfAbsent: async (location, bytes, options) =>
      (await at(location)).putIfAbsent(location, bytes, options),
    openUpload: async (location, options) => (await at(location)).openUpload(location, options),
    async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo> {
      yield* (await at(prefix)).list(prefix, options)
    },
    delete: async (locations, options) => {
      for (const group of groups(locations).values()) await (await at(group[0] ?? '')).delete(group, options)
    },
    discardUploads: async (locations, options) => {
      for (const group of groups(locations).values())
        await (await at(group[0] ?? '')).discardUploads(group, options)
    },
    addPlaces: (places) => adapters.addPlaces(places),
    currentSettings: () => ({ ...settings, places: [...adapters.places] }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** An adapter per scheme, and one for each place with settings of its own. */
class AdapterSet {
  readonly #settings: StoreSettings
  readonly #places = new Map<string, StoragePlace>()
  readonly #adapters = new Map<string, Promise<Adapter>>()
  /** Those whose place has got other settings: calls that are under way still use them. */
  readonly #retired: Promise<Adapter>[] = []
  #closed = false

  constructor(settings: StoreSettings) {
    this.#settings = settings
    this.addPlaces(settings.places ?? [])
  }

  get places(): Iterable<StoragePlace> {
    return this.#places.values()
  }

  addPlaces(places: readonly StoragePlace[]): void {
    for (const place of places) {
      const known = this.#places.get(place.prefix)
      this.#places.set(place.prefix, place)
      if (known === undefined || isServedBy(known, place)) continue
      const adapter = this.#adapters.get(place.prefix)
      if (adapter !== undefined) this.#retired.push(adapter)
      this.#adapters.delete(place.prefix)
    }
  }

  /** Locations of one key are served by one adapter. */
  keyOf(location: string): string {
    const scheme = schemeOf(location)
    return scheme === 's3' ? (findPlace(this.places, location)?.prefix ?? scheme) : scheme
  }

  async at(location: string): Promise<ObjectStore> {
    if (this.#closed) throw new FloeError('cancelled', 'the object store is closed')
    const key = this.keyOf(location)
    let adapter = this.#adapters.get(key)
    if (adapter === undefined) {
      adapter = loadAdapter(schemeOf(location), this.#settings, this.#places.get(key))
      this.#adapters.set(key, adapter)
    }
    return (await adapter).store
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const adapter of [...this.#adapters.values(), ...this.#retired.splice(0)]) (await adapter).close()
    this.#adapters.clear()
  }
}

/** Keys that are renewed may differ: the adapter comes to the new ones when its own end. */
function isServedBy(known: StoragePlace, place: StoragePlace): boolean {
  const isRenewed = known.renewal !== undefined && known.renewal === place.renewal
  const fixed = ({ s3 }: StoragePlace): string =>
    JSON.stringify([s3.endpoint, s3.region, s3.pathStyle, isRenewed ? s3.accessKeyId !== undefined : s3])
  return fixed(known) === fixed(place)
}

async function loadAdapter(
  scheme: Scheme,
  settings: StoreSettings,
  place: StoragePlace | undefined,
): Promise<Adapter> {
  switch (scheme) {
    case 'file': {
      const { openFileStore } = await import('./fs/index.ts')
      return { store: openFileStore(), close: nothingToClose }
    }
    case 'memory': {
      const { openMemoryStore } = await import('./memory/index.ts')
      return { store: openMemoryStore(), close: nothingToClose }
    }
    case 's3': {
      const { openS3Store } = await import('./s3/index.ts')
      const store =
        place === undefined
          ? openS3Store(settings)
          : openS3Store({ ...settings, s3: place.s3 }, undefined, renewalOf(place))
      return { store, close: () => store.close() }
    }
  }
}

function renewalOf({ prefix, renewal }: StoragePlace): { name: string; prefix: string } | undefined {
  return renewal === undefined ? undefined : { name: renewal, prefix }
}

function nothingToClose(): void {}
