export { clearMemoryStore, openMemoryStore } from './memory-store.ts'
