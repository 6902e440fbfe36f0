import type { Context } from 'hono'
import { z } from 'zod'
import { checkIdentifier } from '@floe/catalog'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import { toFloeError } from '@floe/iceberg'
import { namingTheMissing } from './error-response.ts'
import { readBody, tableIdentifier } from './request-body.ts'

const renameRequest = z.object({ source: tableIdentifier, destination: tableIdentifier })
/** For the OpenAPI document. */
export const renameRequests: Readonly<Record<'rename', z.ZodType>> = {
  rename: renameRequest,
}

/** Renames a table or view; `missing` is the answer's type when there is none of the old name. */
export async function answerRename(
  context: Context,
  catalog: Catalog,
  missing: 'NoSuchTableException' | 'NoSuchViewException',
  rename: (from: TableIdentifier, to: TableIdentifier) => Promise<void>,
): Promise<Response> {
  const { source, destination } = await readBody(context, renameRequest)
  checkIdentifier(source)
  checkIdentifier(destination)
  try {
    await rename(source, destination)
    return context.body(null, 204)
  } catch (error) {
    if (toFloeError(error).code !== 'not-found') throw error
    // Which of the two is missing decides the answer's type.
    await namingTheMissing('NoSuchNamespaceException', () => catalog.loadNamespace(destination.namespace))
    return namingTheMissing(missing, () => Promise.reject(error))
  }
}
