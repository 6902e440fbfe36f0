import { encodeManifest } from '@floe/iceberg'
import type { ManifestEntry, ManifestHeader } from '@floe/iceberg'

export type EncodeManifestInput = {
  readonly header: ManifestHeader
  readonly entries: readonly ManifestEntry[]
}

/** Encodes one manifest on a worker thread. */
export default function encodeManifestTask({ header, entries }: EncodeManifestInput): Uint8Array {
  return encodeManifest(header, entries)
}
