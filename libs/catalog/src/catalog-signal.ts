/** What happened inside of a catalog, for those who count. */
export type CatalogSignal = 'commit-retry' | 'metadata-cache-hit' | 'metadata-cache-miss'
