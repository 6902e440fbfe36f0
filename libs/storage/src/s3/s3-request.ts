import { FloeError } from '@floe/iceberg/values'

import { parseDeleteObjects } from './delete-objects-body.ts'

/** A request to S3 that somebody else will send. Header names are in any case; the body is only that of DeleteObjects. */
export type S3Request = {
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body?: string
}

/** What a request does, and to which objects; a list names the prefix that it lists. */
export type S3Action = {
  readonly action: 'read' | 'write' | 'delete'
  /** `s3://bucket/key`, decoded as S3 decodes it. */
  readonly locations: readonly string[]
}

/** A request taken apart: `key` and `query` are decoded once, as S3 does it. */
export type S3Target = {
  readonly protocol: string
  readonly host: string
  readonly bucket: string
  /** Empty for a request to the bucket. */
  readonly key: string
  /** The path as S3 will see it, decoded: with the bucket, unless the host names it. */
  readonly path: string
  readonly query: ReadonlyMap<string, string>
}

const uriForm = /^(https?):\/\/([^/?#@\\]+)(\/[^?#\\]*)?(?:\?([^#\\]*))?$/i
const awsHost =
  /^(?:(.+)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-][a-z]{2}(?:-[a-z]+)+-\d+)?\.amazonaws\.com(?:\.cn)?$/i

/**
 * @param endpoint  of the server that objects are on; AWS when absent
 * @throws FloeError permission-denied for another host, and for spellings that servers read in different ways
 */
export function parseS3Uri(uri: string, endpoint: string | undefined): S3Target {
  const [, protocol, host, rawPath = '/', rawQuery = ''] = uriForm.exec(uri) ?? []
  if (protocol === undefined || host === undefined) throw refused('the uri is not one of an object store')
  // As HTTP clients write the header `Host`: without the port that the protocol implies.
  const bareHost = host.toLowerCase().replace(/^https$/i.test(protocol) ? /:443$/ : /:80$/, '')
  const bucketOfHost = hostBucket(bareHost, endpoint)
  const path = decodePart(rawPath)
  checkPath(path)
  const [, first = '', rest = ''] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? []
  const bucket = bucketOfHost ?? first
  const key = bucketOfHost === undefined ? rest : path.slice(1)
  if (bucket === '') throw refused('the uri names no bucket')
  return {
    protocol: `${protocol.toLowerCase()}:`,
    host: bareHost,
    bucket,
    key,
    path,
    query: parseQuery(rawQuery),
  }
}

/** The bucket that the host names; none when the path does. */
function hostBucket(host: string, endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) {
    const match = awsHost.exec(host)
    if (match !== null) return match[1]
  } else {
    const own = new URL(endpoint).host.toLowerCase()
    if (host === own) return undefined
    if (host.endsWith(`.${own}`)) return host.slice(0, -own.length - 1)
  }
  throw refused('the uri is not one of the object store of this catalog')
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw refused('the uri is not percent-encoded UTF-8', error)
  }
}

/** S3 takes keys as they are, but some servers and proxies walk `..` like a file system. */
function checkPath(path: string): void {
  if (/[\p{Cc}\\]/u.test(path) || path.split('/').some((part) => part === '.' || part === '..'))
    throw refused('the key has a control character, a backslash, or a "." or ".." segment')
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  for (const part of text.split('&').filter((item) => item !== '')) {
    const [name = '', ...values] = part.split('=')
    const decoded = decodePart(name.replaceAll('+', ' '))
    // Of two, one server takes the first, another the last.
    if (query.has(decoded)) throw refused(`the query has "${decoded}" twice`)
    query.set(decoded, decodePart(values.join('=').replaceAll('+', ' ')))
  }
  return query
}

type Operation = {
  readonly method: string
  readonly on: 'object' | 'bucket'
  readonly needs: readonly string[]
  readonly may: readonly string[]
  readonly action: S3Action['action']
  readonly kind?: 'list' | 'delete-objects'
}

const listOptions = [
  'delimiter',
  'encoding-type',
  'fetch-owner',
  'max-keys',
  'continuation-token',
  'start-after',
  'marker',
]

/** Everything that is ever signed: what readers and writers of a table do. `x-id` only repeats the operation's name. */
const operations: readonly Operation[] = [
  { method: 'GET', on: 'object', needs: [], may: ['versionId', 'partNumber'], action: 'read' },
  { method: 'HEAD', on: 'object', needs: [], may: ['versionId', 'partNumber'], action: 'read' },
  {
    method: 'GET',
    on: 'bucket',
    needs: ['prefix'],
    may: ['list-type', ...listOptions],
    action: 'read',
    kind: 'list',
  },
  { method: 'PUT', on: 'object', needs: [], may: [], action: 'write' },
  { method: 'PUT', on: 'object', needs: ['partNumber', 'uploadId'], may: [], action: 'write' },
  { method: 'POST', on: 'object', needs: ['uploads'], may: [], action: 'write' },
  { method: 'POST', on: 'object', needs: ['uploadId'], may: [], action: 'write' },
  {
    method: 'GET',
    on: 'object',
    needs: ['uploadId'],
    may: ['max-parts', 'part-number-marker'],
    action: 'write',
  },
  { method: 'DELETE', on: 'object', needs: ['uploadId'], may: [], action: 'write' },
  { method: 'DELETE', on: 'object', needs: [], may: ['versionId'], action: 'delete' },
  { method: 'POST', on: 'bucket', needs: ['delete'], may: [], action: 'delete', kind: 'delete-objects' },
]

/**
 * What a request would do. Only operations on the files of tables are known, with parameters and headers that are known.
 * @throws FloeError permission-denied for all others
 */
export function inspectS3Request(request: S3Request, target: S3Target): S3Action {
  const operation = operations.find((candidate) => isOperation(candidate, request.method, target))
  if (operation === undefined) {
    const names = [...target.query.keys()].sort().join(', ') || 'no parameters'
    throw refused(
      `${request.method} of ${target.key === '' ? 'a bucket' : 'an object'} with ${names} is never signed`,
    )
  }
  const copied = checkHeaders(request)
  const at = (key: string): string => `s3://${target.bucket}/${key}`
  const { action, kind } = operation
  if (kind === 'list') return { action, locations: [at(target.query.get('prefix') ?? '')] }
  if (kind === 'delete-objects') return { action, locations: keysToDelete(request.body).map(at) }
  return { action, locations: [at(target.key), ...copied] }
}

function isOperation(
  { method, on, needs, may }: Operation,
  asked: string,
  { key, query }: S3Target,
): boolean {
  const given = [...query.keys()].filter((name) => name !== 'x-id')
  return (
    method === asked &&
    (on === 'object') === (key !== '') &&
    needs.every((name) => query.has(name)) &&
    given.every((name) => needs.includes(name) || may.includes(name))
  )
}

function keysToDelete(body: string | undefined): readonly string[] {
  if (body === undefined) throw refused('DeleteObjects is signed with its body only, which names the objects')
  const keys = parseDeleteObjects(body)
  for (const key of keys) checkPath(key)
  return keys
}

/** Headers of S3 that change nothing but the object itself. */
const knownHeaders =
  /^x-amz-(?:content-sha256|date|security-token|checksum-[a-z0-9-]+|sdk-checksum-algorithm|trailer|decoded-content-length|te|meta-.+|server-side-encryption(?:-.+)?|storage-class|tagging|acl|copy-source(?:-.+)?|metadata-directive|user-agent|expected-bucket-owner|request-payer|mp-object-size)$/
const ownAcls: ReadonlySet<string> = new Set(['private', 'bucket-owner-full-control', 'bucket-owner-read'])

/** The objects that headers make the request read. */
function checkHeaders({ headers }: S3Request): readonly string[] {
  const copied: string[] = []
  for (const [name, values] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (lower.startsWith('x-amz-') && !knownHeaders.test(lower))
      throw refused(`the header ${lower} is never signed`)
    if (lower === 'x-amz-acl' && !values.every((value) => ownAcls.has(value)))
      throw refused('objects of tables are not made public')
    if (lower === 'x-amz-copy-source') copied.push(...values.map(copySource))
  }
  return copied
}

function copySource(value: string): string {
  const path = decodePart(value.split('?')[0] ?? '')
  checkPath(path)
  return `s3://${path.replace(/^\//, '')}`
}

function refused(message: string, cause?: unknown): FloeError {
  return new FloeError('permission-denied', message, {
    hint: 'requests are signed for the files of one table only',
    ...(cause === undefined ? {} : { cause }),
  })
}
