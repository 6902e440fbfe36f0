import {
  encodeManifest,
  encodeManifestList,
  encodeSingleValue,
  manifestFileFor,
  newTableMetadata,
} from '@floe/iceberg'
