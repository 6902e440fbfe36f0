import type { Context } from 'hono'
import { checkIdentifier, checkNamespace, namespaceSeparator } from '@floe/catalog'
import type { Namespace, TableIdentifier } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'

// Names come from the raw path: decoding the path as a whole, as routers do, loses which slash was a name's own.

/** The namespace after `/namespaces/` in the path. @throws FloeError invalid-input for what cannot be a name */
export function pathNamespace(context: Context): Namespace {
  const namespace = decodeNamespace(segmentAfter(context, 'namespaces'))
  checkNamespace(namespace)
  return namespace
}

/** The table, view or function after `/namespaces/{namespace}/{tables, views, functions}/` in the path. */
export function pathIdentifier(context: Context): TableIdentifier {
  const identifier = {
    namespace: pathNamespace(context),
    name: decodeSegment(segmentAfter(context, 'relations')),
  }
  checkIdentifier(identifier)
  return identifier
}

/**
 * Path of a table's own resource as clients append it to their catalog uri, without a slash at its start: below the same
 * prefix as the request, which may be one to its namespace.
 */
export function tablePath(context: Context, { namespace, name }: TableIdentifier): string {
  const segments = new URL(context.req.url).pathname.split('/')
  const version = segments.indexOf('v1')
  const prefix = segments.slice(version, segments.indexOf('namespaces', version))
  const levels = namespace.map(encodeURIComponent).join('%1F')
  return [...prefix, 'namespaces', levels, 'tables', encodeURIComponent(name)].join('/')
}

/** The namespace of the query parameter `parent`; none, and an empty one, mean the top level. */
export function queryParent(context: Context): Namespace | undefined {
  return queryNamespace(context, 'parent')
}

export function queryNamespace(context: Context, parameter: string): Namespace | undefined {
  const text = context.req.query(parameter)
  if (text === undefined || text === '') return undefined
  const namespace = text.split(namespaceSeparator)
  checkNamespace(namespace)
  return namespace
}

/** A prefix as servers hand it out. One that is encoded could hide a `namespaces` from those who read the raw path. */
const plainSegment = /^[\w.~-]+$/

function segmentAfter(context: Context, collection: 'namespaces' | 'relations'): string {
  const segments = pathOf(context.req.url).split('/')
  // Of a table called "tables" the segment before it, of a namespace called "namespaces" the one before that, counts.
  const namespaces = segments.indexOf('namespaces', segments.indexOf('v1'))
  if (!segments.slice(1, namespaces).every((segment) => plainSegment.test(segment))) {
    throw new FloeError('invalid-input', 'the path is percent-encoded before its names', {
      hint: 'encode only the names of namespaces, tables and views',
    })
  }
  const at = collection === 'namespaces' ? namespaces : namespaces + 2
  return segments[at + 1] ?? ''
}

/** The raw path of a URL that the server has made: cutting it out takes a tenth of the time of parsing it. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}

/** Levels are split before they are decoded; clients send the separator encoded, in either case, or as it is. */
function decodeNamespace(segment: string): Namespace {
  return segment.replaceAll(/%1F/gi, namespaceSeparator).split(namespaceSeparator).map(decodeSegment)
}

/** As Java's client encodes path segments: like a form, where a plus is a space. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replaceAll('+', ' '))
  } catch (error) {
    throw new FloeError('invalid-input', 'a name in the path is not percent-encoded UTF-8', { cause: error })
  }
}
