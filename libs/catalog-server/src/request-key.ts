import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import type { CatalogRequest, RequestKey } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A catalog, or one that can do more. */
type Requested<C> = { forRequest(request: CatalogRequest): C }

/**
 * The catalog that a change of this request goes to: it knows who asks and, by the header `Idempotency-Key`, makes the
 * change once.
 * @throws FloeError invalid-input when the key is no uuid
 */
export async function catalogFor<C extends Requested<C>>(context: Context, catalog: C): Promise<C> {
  const principal = context.get('principal')?.name
  const key = await requestKey(context)
  if (key === undefined && principal === undefined) return catalog
  return catalog.forRequest({
    ...(key === undefined ? {} : { key }),
    ...(principal === undefined ? {} : { principal }),
  })
}

/**
 * The header `Idempotency-Key` with what it was sent for; the same key from somebody else is another request.
 * @throws FloeError invalid-input when it is no uuid
 */
export async function requestKey(context: Context): Promise<RequestKey | undefined> {
  const key = context.req.header('idempotency-key')
  if (key === undefined) return undefined
  if (!uuidForm.test(key)) {
    throw new FloeError('invalid-input', 'Idempotency-Key is not a UUID', {
      hint: 'send a UUIDv7 in its text form',
    })
  }
  const principal = context.get('principal')?.name
  const { method, url } = context.req
  const { pathname, search } = new URL(url)
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([method, pathname, search, ...(principal === undefined ? [] : [principal])]))
    .update(await context.req.text())
    .digest('base64url')
  return { key: key.toLowerCase(), fingerprint }
}

/** ISO 8601 duration of the spec's `idempotency-key-lifetime`. */
export function lifetimeDuration(lifetimeMs: number): string {
  return `PT${Math.floor(lifetimeMs / 1000)}S`
}
