import type { LoadRequest } from '@floe/etl'
import type { LakehouseSettings } from './settings.ts'

/** What the settings say about a load; the request may say otherwise. */
export function loadDefaults({
  readMethod,
  typePolicies,
  memoryBytes,
}: LakehouseSettings): Partial<LoadRequest> {
  return {
    method: readMethod,
    ...(typePolicies === undefined ? {} : { policies: typePolicies }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  }
}
