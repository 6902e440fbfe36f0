import type { LakehouseSettings } from './settings.ts'
import type { Warehouse } from './warehouse-settings.ts'

/**
 * What clients of the catalog are told about the storage (spec: `config` of a loaded table). The endpoint and the
 * addressing style, never keys: a client brings its own.
 */
export function tableConfig(
  { location }: Warehouse,
  { store: { s3 }, dropRetentionMs }: Pick<LakehouseSettings, 'dropRetentionMs' | 'store'>,
): Readonly<Record<string, string>> {
  if (!location.startsWith('s3')) return {}
  const { endpoint, region, pathStyle } = s3 ?? {}
  return {
    ...(endpoint === undefined ? {} : { 's3.endpoint': endpoint }),
    ...(region === undefined ? {} : { 's3.region': region, 'client.region': region }),
    // A client that purges by itself, as Spark does, would leave nothing to bring back.
    ...(dropRetentionMs > 0 ? { 's3.delete-enabled': 'false' } : {}),
    ...(pathStyle === true ? { 's3.path-style-access': 'true', 's3.force-virtual-addressing': 'false' } : {}),
  }
}
