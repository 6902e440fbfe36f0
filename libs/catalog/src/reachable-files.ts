import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { decodeManifest, decodeManifestList, FloeError } from '@floe/iceberg'
import type { AvroCodecs, JsonObject, TableMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'

/** Manifest lists and manifests that are read at one time. */
const manifestReadsMax = 8

/** What Java may write beside the codecs that are built in. */
const codecs: AvroCodecs = { zstandard: { compress: zstdCompressSync, decompress: zstdDecompressSync } }

/** Paths are wanted, no metrics. */
const noColumns: ReadonlySet<number> = new Set()

/**
 * Every file that the metadata reaches: metadata files, statistics, manifest lists, data and delete manifests, and,
 * unless `gc.enabled` is false, the data and delete files in them. Files that are gone already are left out with what
 * only they reach.
 * @throws FloeError corrupt-data or unavailable when a manifest cannot be read: then nothing is known to be complete
 */
export async function findReachableFiles(
  store: Pick<ObjectStore, 'get'>,
  metadata: TableMetadata,
  metadataLocation: string,
): Promise<ReadonlySet<string>> {
  const files = new Set([metadataLocation, ...metadata.metadataLog.map(({ metadataFile }) => metadataFile)])
  for (const path of [...metadata.statistics, ...metadata.partitionStatistics].map(statisticsPath)) {
    if (path !== undefined) files.add(path)
  }
  const lists = metadata.snapshots.flatMap(({ manifestList }) =>
    manifestList === undefined ? [] : [manifestList],
  )
  const manifests = new Set(metadata.snapshots.flatMap(({ manifests }) => manifests ?? []))
  await readEach(store, new Set(lists), (list, bytes) => {
    files.add(list)
    for (const { manifestPath } of decodeManifestList(bytes, { codecs })) manifests.add(manifestPath)
  })
  if (metadata.properties['gc.enabled'] === 'false') return new Set([...files, ...manifests])
  await readEach(store, manifests, (manifest, bytes) => {
    files.add(manifest)
    const { entries } = decodeManifest(bytes, { codecs, metricColumns: noColumns })
    for (const { dataFile } of entries) files.add(dataFile.filePath)
  })
  return files
}

function statisticsPath(statistics: JsonObject): string | undefined {
  const path = statistics['statistics-path']
  return typeof path === 'string' ? path : undefined
}

/** Reads objects a few at a time. */
async function readEach(
  store: Pick<ObjectStore, 'get'>,
  locations: ReadonlySet<string>,
  take: (location: string, bytes: Uint8Array) => void,
): Promise<void> {
  const pending = locations.values()
  const readRest = async (): Promise<void> => {
    for (const location of pending) {
      const bytes = await getIfPresent(store, location)
      if (bytes !== undefined) take(location, bytes)
    }
  }
  await Promise.all(Array.from({ length: manifestReadsMax }, readRest))
}

async function getIfPresent(
  store: Pick<ObjectStore, 'get'>,
  location: string,
): Promise<Uint8Array | undefined> {
  try {
    return await store.get(location)
  } catch (error) {
    if (error instanceof FloeError && error.code === 'not-found') return undefined
    throw error
  }
}
