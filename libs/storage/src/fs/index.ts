export { openFileStore } from './file-store.ts'
export type { FileStoreComponents } from './file-store.ts'
