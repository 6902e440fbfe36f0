export { filePathToLocation, joinLocation, locationToFilePath, schemeOf } from './location.ts'
export type { Scheme } from './location.ts'
export type {
  CallOptions,
  ObjectInfo,
  ObjectReader,
  ObjectStore,
  S3Settings,
  StoragePlace,
  StoreSettings,
  Upload,
} from './object-store.ts'
export { findPlace, mergeS3Settings } from './place.ts'
export { serveFreshKeys } from './fresh-keys.ts'
export type { FreshKeys } from './fresh-keys.ts'
export { openObjectStore } from './open-object-store.ts'
export type { OpenObjectStore } from './open-object-store.ts'
export { observeStore } from './observe-store.ts'
export type { CallObserver } from './observe-store.ts'
