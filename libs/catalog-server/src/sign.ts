import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Catalog } from '@floe/catalog'
import { FloeError, stringifyJson } from '@floe/iceberg'
import { isInFolder } from './delegated-location.ts'
import { namingTheMissing } from './error-response.ts'
import { pathIdentifier } from './path-names.ts'
import { readBody } from './request-body.ts'
import type { RequestSigner, SignableRequest, StorageDelegation } from './storage-delegation.ts'

export const signEndpoints: readonly string[] = [
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign',
]

const signRequest = z.object({
  region: z.string(),
  uri: z.string(),
  method: z.enum(['PUT', 'GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'OPTIONS']),
  headers: z.record(z.string(), z.array(z.string())),
  properties: z.record(z.string(), z.string()).nullish(),
  body: z.string().nullish(),
  provider: z.string().nullish(),
})

/** For the OpenAPI document. */
export const signRequests: Readonly<Record<'sign', z.ZodType>> = { sign: signRequest }

/** Spec `signRequest`: requests for the files of one table, and no others, are signed with the catalog's keys. */
export function signRoutes(catalog: Catalog, signer: RequestSigner, delegation: StorageDelegation): Hono {
  return new Hono().post('/namespaces/:namespace/tables/:table/sign', async (context) => {
    const identifier = pathIdentifier(context)
    const { provider, body, method, uri, headers } = await readBody(context, signRequest)
    if (typeof provider === 'string' && provider !== 's3')
      throw new FloeError('unsupported', `requests of the provider "${provider}" are not signed here`)
    const table = await namingTheMissing('NoSuchTableException', () => catalog.loadTable(identifier))
    const request = { method, uri, headers, ...(typeof body === 'string' ? { body } : {}) }
    const { action, locations } = signer.inspect(request)
    const folder = delegation.locationOf(table)
    if (folder === undefined || !locations.every((location) => isInFolder(location, folder)))
      throw denied('the request is for something that is not a file of the table')
    if (action !== 'read' && !(await delegation.allowsWrite(context, identifier)))
      throw denied('the request writes, and only reading is allowed')
    if (action === 'delete' && delegation.settings.deletes === false)
      throw denied('files of tables are deleted by the catalog only')
    return signedResponse(context, signer, request, action)
  })
}

async function signedResponse(
  context: Context,
  signer: RequestSigner,
  request: SignableRequest,
  action: 'read' | 'write' | 'delete',
): Promise<Response> {
  const { uri, headers } = await signer.sign(request)
  // Java keeps what is private for 30 seconds, by method and uri: a range is not signed, so that reads can share it.
  context.header('cache-control', action === 'read' ? 'private' : 'no-cache')
  context.header('content-type', 'application/json')
  return context.body(stringifyJson({ uri, headers }))
}

function denied(message: string): FloeError {
  return new FloeError('permission-denied', message)
}
