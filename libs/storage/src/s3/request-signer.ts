import { createHash, createHmac } from 'node:crypto'

import { SignatureV4 } from '@smithy/signature-v4'

import type { StoreSettings } from '../object-store.ts'
import { createS3Client } from './s3-client.ts'
import { inspectS3Request, parseS3Uri } from './s3-request.ts'
import type { S3Action, S3Request, S3Target } from './s3-request.ts'

export type SignedS3Request = {
  readonly uri: string
  /** To be added to those of the request: what it has already, and what was signed as it is, is left out. */
  readonly headers: Readonly<Record<string, readonly string[]>>
}

/** Signs requests of others with the store's own keys. It decides nothing: ask `inspect` first. */
export type S3RequestSigner = {
  /** @throws FloeError permission-denied for what is never signed */
  inspect(request: S3Request): S3Action
  /** SigV4 in headers, good for 15 minutes. */
  sign(request: S3Request): Promise<SignedS3Request>
  close(): void
}

const unsignedPayload = 'UNSIGNED-PAYLOAD'

export function openS3RequestSigner(
  settings: NonNullable<StoreSettings['s3']>,
  { clock }: { readonly clock: { now(): number } },
): S3RequestSigner {
  const { endpoint } = settings
  // The client resolves keys and region as the store does, and is never sent with.
  const client = createS3Client(settings)
  const signer = new SignatureV4({
    service: 's3',
    region: () => client.config.region(),
    credentials: () => client.config.credentials(),
    sha256: NodeSha256,
    // Spec SigV4: paths are encoded once for S3.
    uriEscapePath: false,
    applyChecksum: false,
  })
  return {
    inspect: (request) => inspectS3Request(request, parseS3Uri(request.uri, endpoint)),
    sign: async (request) => {
      const target = parseS3Uri(request.uri, endpoint)
      const headers = signedHeaders(request, target)
      const signed = await signer.sign(
        {
          method: request.method,
          protocol: target.protocol,
          hostname: target.host,
          path: encodePath(target.path),
          query: Object.fromEntries(target.query),
          headers,
        },
        { signingDate: new Date(clock.now()) },
      )
      return { uri: request.uri, headers: addedHeaders(request.headers, signed.headers) }
    },
    close: () => client.destroy(),
  }
}

/** `host` and every header of S3: a server refuses those that it finds unsigned. */
function signedHeaders(request: S3Request, { host }: S3Target): Record<string, string> {
  const headers: Record<string, string> = { host }
  for (const [name, values] of Object.entries(request.headers)) {
    const lower = name.toLowerCase()
    if (lower.startsWith('x-amz-')) headers[lower] = values.map((value) => value.trim()).join(',')
  }
  delete headers['x-amz-date']
  delete headers['x-amz-security-token']
  // The keys in it were looked at, so S3 must get this very body.
  if (request.body !== undefined) headers['x-amz-content-sha256'] = sha256Hex(request.body)
  headers['x-amz-content-sha256'] ??= unsignedPayload
  return headers
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** As S3 encodes a key for the canonical request: all but unreserved characters and slashes. */
function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
}

/** PyIceberg adds what it gets to what it has: a header that it got back would be sent twice, and not as it was signed. */
function addedHeaders(
  given: S3Request['headers'],
  signed: Readonly<Record<string, string>>,
): Readonly<Record<string, readonly string[]>> {
  const known = new Map(Object.entries(given).map(([name, values]) => [name.toLowerCase(), values.join(',')]))
  const added = Object.entries(signed).filter(([name, value]) => known.get(name.toLowerCase()) !== value)
  return Object.fromEntries(added.map(([name, value]) => [name, [value]]))
}

/** SHA-256, with a key as HMAC, in the form that the SDK's signer asks for. */
class NodeSha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }

  reset(): void {}
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
