import { FloeError } from '@floe/iceberg/values'

import { checkRange, missingObject, shortObject } from '../byte-range.ts'
import { cancelledError, throwIfCancelled } from '../cancellation.ts'
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { schemeOf } from '../location.ts'
import type { CallOptions, ObjectInfo, ObjectStore, Upload } from '../object-store.ts'

type Keep = (location: string, bytes: Uint8Array) => void
type MemoryObject = { readonly bytes: Uint8Array; readonly lastModifiedMs: number }

// One map for the process, as a bucket is one for all its clients: stores that are opened apart see the same objects.
const objects = new Map<string, MemoryObject>()
// Uploads that have not ended, for the same reason: one store discards what another has opened.
const openUploads = new Set<MemoryUpload>()

/** Objects of this thread's memory, `memory://name/key`, shared by every store opened on the thread. */
export function openMemoryStore(components: { readonly clock?: Clock } = {}): ObjectStore {
  const clock = components.clock ?? systemClock
  const keep: Keep = (location, bytes) => {
    objects.set(location, { bytes: bytes.slice(), lastModifiedMs: clock.now() })
  }
  return {
    get: async (location, { range, signal } = {}) => {
      const { bytes } = findObject(location, signal) ?? missing(location)
      checkRange(range, location)
      if (range === undefined) return bytes.slice()
      if (range.offset + range.length > bytes.length) throw shortObject(location, range, bytes.length)
      return bytes.slice(range.offset, range.offset + range.length)
    },
    head: async (location, { signal } = {}) => {
      const object = findObject(location, signal)
      return object === undefined ? undefined : infoOf(location, object)
    },
    put: async (location, bytes, { signal } = {}) => {
      checkCall(location, signal)
      keep(location, bytes)
    },
    putIfAbsent: async (location, bytes, { signal } = {}) => {
      if (findObject(location, signal) !== undefined) return false
      keep(location, bytes)
      return true
    },
    openUpload: async (location, { signal } = {}) => {
      checkCall(location, signal)
      return new MemoryUpload(location, keep, signal)
    },
    list: listObjects,
    delete: async (locations, { signal } = {}) => {
      for (const location of locations) {
        checkCall(location, signal)
        objects.delete(location)
      }
    },
    discardUploads: async (locations, { signal } = {}) => {
      for (const location of locations) checkCall(location, signal)
      const discarded = new Set(locations)
      for (const upload of openUploads) if (discarded.has(upload.location)) await upload.abort()
    },
  }
}

/** Forgets every object of `memory://<name>/`. */
export function clearMemoryStore(name: string): void {
  for (const location of objects.keys()) {
    if (location.startsWith(`memory://${name}/`)) objects.delete(location)
  }
}

async function* listObjects(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<ObjectInfo> {
  checkScheme(prefix)
  // A snapshot, since what the reader of the list writes meanwhile would be listed too, without end.
  const found = Array.from(objects).filter(([location]) => location.startsWith(prefix))
  for (const [location, object] of found) {
    throwIfCancelled(signal, prefix)
    yield infoOf(location, object)
  }
}

class MemoryUpload implements Upload {
  readonly location: string
  readonly #keep: Keep
  readonly #signal: AbortSignal | undefined
  #parts: Uint8Array[] = []
  #open = true

  constructor(location: string, keep: Keep, signal: AbortSignal | undefined) {
    this.location = location
    this.#keep = keep
    this.#signal = signal
    openUploads.add(this)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check()
    this.#parts.push(bytes)
  }

  async complete(): Promise<{ readonly sizeBytes: number }> {
    this.#check()
    const bytes = Buffer.concat(this.#parts)
    await this.abort()
    this.#keep(this.location, new Uint8Array(bytes))
    return { sizeBytes: bytes.length }
  }

  async abort(): Promise<void> {
    this.#open = false
    this.#parts = []
    openUploads.delete(this)
  }

  #check(): void {
    throwIfCancelled(this.#signal, this.location)
    if (!this.#open) throw cancelledError(this.location)
  }
}

function findObject(location: string, signal: AbortSignal | undefined): MemoryObject | undefined {
  checkCall(location, signal)
  return objects.get(location)
}

function checkCall(location: string, signal: AbortSignal | undefined): void {
  throwIfCancelled(signal, location)
  checkScheme(location)
  if (/^memory:\/\/[^/]+\/.*[^/]$/s.test(location)) return
  throw new FloeError('invalid-input', `${location} does not name an object`, {
    hint: 'write memory://name/key',
  })
}

function checkScheme(location: string): void {
  if (schemeOf(location) === 'memory' && location.startsWith('memory://')) return
  throw new FloeError('invalid-input', `${location} is not in memory`, { hint: 'write memory://name/key' })
}

function infoOf(location: string, { bytes, lastModifiedMs }: MemoryObject): ObjectInfo {
  return { location, sizeBytes: bytes.length, lastModifiedMs }
}

function missing(location: string): never {
  throw missingObject(location)
}
