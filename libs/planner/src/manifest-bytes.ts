import { deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import { decodeManifest } from '@floe/iceberg'
import type { AvroCodecs, DecodedManifest } from '@floe/iceberg'

/** A manifest as it is stored, and the columns whose metrics are read of it; all when absent. */
export type ManifestBytes = { readonly bytes: Uint8Array; readonly metricColumns?: ReadonlySet<number> }

/** Runs the task at `decodeManifestTask` elsewhere, such as on a thread. */
export type DecodeElsewhere = (manifest: ManifestBytes) => Promise<DecodedManifest>

/** Module of the task that `DecodeElsewhere` runs. */
export const decodeManifestTask: URL = new URL('./decode-manifest.task.ts', import.meta.url)

/**
 * From this many entries on, in several manifests, they are decoded elsewhere: an entry takes 31 to 40 microseconds, so
 * these take as long as threads do that start.
 */
export const entriesElsewhereMin = 20_000

/** Node inflates four times as fast as pure JavaScript. */
export const avroCodecs: AvroCodecs = {
  deflate: { compress: deflateRawSync, decompress: inflateRawSync },
  zstandard: { compress: zstdCompressSync, decompress: zstdDecompressSync },
}

export function decodeBytes({ bytes, metricColumns }: ManifestBytes): DecodedManifest {
  return decodeManifest(bytes, {
    codecs: avroCodecs,
    ...(metricColumns === undefined ? {} : { metricColumns }),
  })
}
