import type { Context } from 'hono'
import { FloeError } from '@floe/iceberg'

/**
 * Rows of a page at most, and when the client asks for pages and names no size: Java's client always does, and each
 * page costs it a round trip.
 */
const pageSizeMax = 10_000

export type Page<T> = { readonly items: readonly T[]; readonly nextPageToken: string | null }

/**
 * One page of a list. A token holds the last key of its page, so that what is added or dropped between two requests
 * makes no row come twice or never. Without `pageToken` the list comes whole (spec "PageToken").
 */
export function paginate<T>(context: Context, items: readonly T[], keyOf: (item: T) => string): Page<T> {
  const token = context.req.query('pageToken')
  const size = readPageSize(context.req.query('pageSize'))
  if (token === undefined && size === undefined) return { items, nextPageToken: null }
  const after = token === undefined || token === '' ? undefined : decodeToken(token)
  if (after === undefined && items.length <= (size ?? pageSizeMax)) return { items, nextPageToken: null }
  const sorted = items.map((item) => ({ item, key: keyOf(item) })).sort((a, b) => compareKeys(a.key, b.key))
  const rest = after === undefined ? sorted : sorted.filter(({ key }) => compareKeys(key, after) > 0)
  const page = rest.slice(0, size ?? pageSizeMax)
  const last = page.at(-1)
  const hasMore = last !== undefined && page.length < rest.length
  return { items: page.map(({ item }) => item), nextPageToken: hasMore ? encodeToken(last.key) : null }
}

function readPageSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const size = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (size < 1) throw new FloeError('invalid-input', 'pageSize must be a positive integer')
  return Math.min(size, pageSizeMax)
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function encodeToken(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url')
}

function decodeToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString('utf8')
  // Decoders skip what they do not know: a damaged token would give a page from somewhere else.
  if (encodeToken(key) === token) return key
  throw new FloeError('invalid-input', 'pageToken is none that this catalog has given', {
    hint: 'list again from the start, with an empty pageToken',
  })
}
