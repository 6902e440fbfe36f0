import type { ObjectStore } from './object-store.ts'

/** Runs one call to something outside of the process and watches it; `call` says what it does, such as `storage get`. */
export type CallObserver = <T>(call: string, work: () => Promise<T>) => Promise<T>

/** The same store with every call that one promise answers watched; lists and uploads go on as they are. */
export function observeStore(store: ObjectStore, observe: CallObserver): ObjectStore {
  return {
    get: (location, options) => observe('storage get', () => store.get(location, options)),
    head: (location, options) => observe('storage head', () => store.head(location, options)),
    put: (location, bytes, options) => observe('storage put', () => store.put(location, bytes, options)),
    putIfAbsent: (location, bytes, options) =>
      observe('storage putIfAbsent', () => store.putIfAbsent(location, bytes, options)),
    openUpload: (location, options) => store.openUpload(location, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (locations, options) => observe('storage delete', () => store.delete(locations, options)),
    discardUploads: (locations, options) => store.discardUploads(locations, options),
  }
}
