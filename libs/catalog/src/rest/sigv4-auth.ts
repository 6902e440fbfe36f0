import { createHash, createHmac } from 'node:crypto'
import type { Hash, Hmac } from 'node:crypto'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { toFloeError, FloeError } from '@floe/iceberg'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AuthComponents, AuthHeaders, OutgoingRequest, RestAuth, RestAuthSettings } from './rest-auth.ts'

type SigV4Settings = Extract<RestAuthSettings, { kind: 'sigv4' }>

/** AWS Signature Version 4 over method, path, query, host, every header and the hash of the body. */
export function sigV4Auth(
  { signingName, region, credentials }: SigV4Settings,
  { clock }: Pick<AuthComponents, 'clock'>,
): RestAuth {
  const signer = new SignatureV4({
    service: signingName,
    region,
    credentials: credentials ?? defaultProvider(),
    sha256: Sha256,
  })
  return {
    async authorize(request: OutgoingRequest): Promise<AuthHeaders> {
      const { url, headers, body } = request
      const query = Object.fromEntries([...url.searchParams.keys()].map((key) => [key, valuesOf(url, key)]))
      try {
        const signed = await signer.sign(
          {
            method: request.method,
            protocol: url.protocol,
            hostname: url.hostname,
            path: url.pathname,
            query,
            // An endpoint in front of several services tells them apart by the host.
            headers: { ...headers, host: url.host },
            ...(body === undefined ? {} : { body }),
          },
          { signingDate: new Date(clock.now()) },
        )
        const { host: _, ...added } = signed.headers
        return added
      } catch (error) {
        throw noCredentials(error)
      }
    },
    // The signature is of this very moment: another would be refused as well.
    renew: async () => false,
  }
}

function valuesOf(url: URL, key: string): string | string[] {
  const values = url.searchParams.getAll(key)
  return values.length === 1 ? (values[0] ?? '') : values
}

function noCredentials(error: unknown): FloeError {
  return new FloeError('permission-denied', 'a request to the catalog cannot be signed', {
    hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is attached',
    cause: toFloeError(error),
  })
}

/** SHA-256, keyed when there is a secret, in the form that the signer asks for. */
class Sha256 {
  readonly #secret: Uint8Array | string | undefined
  #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = typeof secret === 'object' ? bytesOf(secret) : secret
    this.#hash = this.#start()
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    this.#hash = this.#start()
  }

  #start(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret)
  }
}

function bytesOf(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  return source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}
