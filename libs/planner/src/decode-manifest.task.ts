import type { DecodedManifest } from '@floe/iceberg'

import { decodeBytes } from './manifest-bytes.ts'
import type { ManifestBytes } from './manifest-bytes.ts'

/** Decodes one manifest on a worker thread. */
export default function decodeManifestTask(manifest: ManifestBytes): DecodedManifest {
  return decodeBytes(manifest)
}
