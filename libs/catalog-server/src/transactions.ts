import { Hono } from 'hono'
import { z } from 'zod'
import { checkIdentifier } from '@floe/catalog'
import type { Catalog, TableChange } from '@floe/catalog'
import { parseTableRequirement, parseTableUpdate } from '@floe/iceberg'
import { namingTheMissing } from './error-response.ts'
import { jsonOf, readBody, tableIdentifier } from './request-body.ts'
import { catalogFor } from './request-key.ts'

export const transactionEndpoints: readonly string[] = ['POST /v1/{prefix}/transactions/commit']

const tableChange = z.object({
  identifier: tableIdentifier,
  requirements: z.array(jsonOf('TableRequirement')),
  updates: z.array(jsonOf('TableUpdate')),
})
const commitRequest = z.object({ 'table-changes': z.array(tableChange) })
/** For the OpenAPI document. */
export const transactionRequests: Readonly<Record<'commit', z.ZodType>> = {
  commit: commitRequest,
}

/** Spec `commitTransaction`: all tables or none. */
export function transactionRoutes(catalog: Catalog): Hono {
  return new Hono().post('/transactions/commit', async (context) => {
    const request = await readBody(context, commitRequest)
    const changes = request['table-changes'].map((change): TableChange => {
      checkIdentifier(change.identifier)
      return {
        identifier: change.identifier,
        requirements: change.requirements.map((item) => parseTableRequirement(item)),
        updates: change.updates.map((item) => parseTableUpdate(item)),
      }
    })
    const once = await catalogFor(context, catalog)
    await namingTheMissing('NoSuchTableException', () => once.commitTransaction(changes))
    return context.body(null, 204)
  })
}
