import { murmur3Hash32, partitionPath } from '@floe/iceberg/values'
import type { Partition, PartitionSpec, Schema } from '@floe/iceberg'
import { joinLocation } from '@floe/storage'
import type { WriteSettings } from './write-settings.ts'

export type DataLocation = {
  readonly tableLocation: string
  readonly settings: Pick<WriteSettings, 'dataPath' | 'objectStorage' | 'objectStoragePartitionedPaths'>
}

/** Where a data file of a partition goes: below `data/`, or below a hash of its name for object stores. */
export function dataFileLocation(
  { tableLocation, settings }: DataLocation,
  { spec, schema, partition }: { spec: PartitionSpec; schema: Schema; partition: Partition },
  fileName: string,
): string {
  const root = settings.dataPath ?? joinLocation(tableLocation, 'data')
  const path = spec.fields.length === 0 ? [] : [partitionPath(spec, schema, partition)]
  if (!settings.objectStorage) return joinLocation(root, ...path, fileName)
  if (!settings.objectStoragePartitionedPaths)
    return joinLocation(root, `${hashDirectories(fileName)}-${fileName}`)
  return joinLocation(root, hashDirectories([...path, fileName].join('/')), ...path, fileName)
}

/** Where manifests and manifest lists go. */
export function metadataFileLocation(
  tableLocation: string,
  settings: Pick<WriteSettings, 'metadataPath'>,
  fileName: string,
): string {
  return joinLocation(settings.metadataPath ?? joinLocation(tableLocation, 'metadata'), fileName)
}

// 20 bits of murmur3 as three directories of four and one of eight, as Java's LocationProviders spreads keys.
function hashDirectories(name: string): string {
  const bytes = new TextEncoder().encode(name)
  const bits = (murmur3Hash32(bytes, 0, bytes.length) >>> 0).toString(2).padStart(32, '0').slice(-20)
  return `${bits.slice(0, 4)}/${bits.slice(4, 8)}/${bits.slice(8, 12)}/${bits.slice(12)}`
}
