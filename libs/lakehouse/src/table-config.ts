import type { LakehouseSettings } from './settings.ts'

/**
 * What clients of the catalog are told about the storage (spec: `config` of a loaded table). The endpoint and the
 * addressing style, never keys: a client brings its own.
 */
export function tableConfig({ warehouse, store }: LakehouseSettings): Readonly<Record<string, string>> {
  if (!warehouse.startsWith('s3')) return {}
  const { endpoint, region, pathStyle } = store.s3 ?? {}
  return {
    ...(endpoint === undefined ? {} : { 's3.endpoint': endpoint }),
    ...(region === undefined ? {} : { 's3.region': region, 'client.region': region }),
    ...(pathStyle === true ? { 's3.path-style-access': 'true', 's3.force-virtual-addressing': 'false' } : {}),
  }
}
