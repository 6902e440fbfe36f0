import { FloeError } from '@floe/iceberg'

import { schemeOf } from './location.ts'
import type { Scheme } from './location.ts'
import type { CallOptions, ObjectInfo, ObjectStore, StoreSettings } from './object-store.ts'

/** A store with a lifetime: `close` lets go of sockets. Objects stay. */
export interface OpenObjectStore extends ObjectStore, AsyncDisposable {
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
  const at = async (location: string): Promise<ObjectStore> => adapters.of(schemeOf(location))
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
      const byScheme = Map.groupBy(locations, schemeOf)
      for (const [scheme, group] of byScheme) await (await adapters.of(scheme)).delete(group, options)
    },
    discardUploads: async (locations, options) => {
      const byScheme = Map.groupBy(locations, schemeOf)
      for (const [scheme, group] of byScheme) await (await adapters.of(scheme)).discardUploads(group, options)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

class AdapterSet {
  readonly #settings: StoreSettings
  readonly #adapters = new Map<Scheme, Promise<Adapter>>()
  #closed = false

  constructor(settings: StoreSettings) {
    this.#settings = settings
  }

  async of(scheme: Scheme): Promise<ObjectStore> {
    if (this.#closed) throw new FloeError('cancelled', 'the object store is closed')
    let adapter = this.#adapters.get(scheme)
    if (adapter === undefined) {
      adapter = loadAdapter(scheme, this.#settings)
      this.#adapters.set(scheme, adapter)
    }
    return (await adapter).store
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const adapter of this.#adapters.values()) (await adapter).close()
    this.#adapters.clear()
  }
}

async function loadAdapter(scheme: Scheme, settings: StoreSettings): Promise<Adapter> {
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
      const store = openS3Store(settings)
      return { store, close: () => store.close() }
    }
  }
}

function nothingToClose(): void {}
