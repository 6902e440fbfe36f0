import type { JsonObject } from '@floe/iceberg'
import type { RestRequest } from './rest-client.ts'

/** Property that says which create made a table. */
export const createdProperty = 'history.created'

const fields = [{ id: 1, name: 'id', required: true, type: 'long' }]
const schema = { type: 'struct', 'schema-id': 0, fields }
const unpartitioned = { 'spec-id': 0, fields: [] }
const unsorted = { 'order-id': 0, fields: [] }

/** Creates a table at once or, with a uuid, as the commit that ends a staged create. */
export function createRequest(
  tablesPath: string,
  name: string,
  token: string,
  stagedUuid: string | undefined,
): RestRequest {
  const properties: JsonObject = {
    [createdProperty]: token,
    // The whole line of metadata files stays, so that it can be checked.
    'write.metadata.previous-versions-max': '100000',
  }
  if (stagedUuid === undefined)
    return { method: 'POST', path: tablesPath, body: { name, schema, properties } }
  const updates: readonly JsonObject[] = [
    { action: 'assign-uuid', uuid: stagedUuid },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'add-schema', schema, 'last-column-id': 1 },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec: unpartitioned },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'add-sort-order', 'sort-order': unsorted },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-properties', updates: properties },
  ]
  return {
    method: 'POST',
    path: `${tablesPath}/${name}`,
    body: { requirements: [{ type: 'assert-create' }], updates },
  }
}
