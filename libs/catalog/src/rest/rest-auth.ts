import { oauth2Auth } from './oauth2-auth.ts'
import { sigV4Auth } from './sigv4-auth.ts'

/** A request as it is about to be sent. */
export type OutgoingRequest = {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export type AuthHeaders = Readonly<Record<string, string>>

/** Who a client is, told with every request. */
export interface RestAuth {
  /** AuthHeaders that are added to the request. */
  authorize(request: OutgoingRequest): Promise<AuthHeaders>
  /** The catalog refused these headers (401, 419): resolves `true` when there are others to try with. */
  renew(refused: AuthHeaders): Promise<boolean>
}

export type RestAuthSettings =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | {
      readonly kind: 'oauth2'
      /** `client-id:client-secret`, or the secret alone. */
      readonly credential: string
      /** Default `catalog`. */
      readonly scope?: string
      /** Where tokens come from; default `<uri>/v1/oauth/tokens`. A relative one is below the catalog's uri. */
      readonly serverUri?: string
      /** Further members of the token request, such as `audience` and `resource`. */
      readonly parameters?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'sigv4'
      /** `glue` for AWS Glue, `s3tables` for S3 Tables, `execute-api` for what stands behind API Gateway. */
      readonly signingName: string
      readonly region: string
      /** The AWS SDK's own chain (environment, profile, role) when absent. */
      readonly credentials?: {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken?: string
      }
    }

export type AuthComponents = {
  readonly clock: { now(): number }
  readonly fetch: typeof fetch
  /** How long one request for a token may take. */
  readonly requestTimeoutMs: number
}

export function openRestAuth(uri: string, settings: RestAuthSettings, components: AuthComponents): RestAuth {
  switch (settings.kind) {
    case 'none':
      return fixedAuth({})
    case 'bearer':
      return fixedAuth({ authorization: `Bearer ${settings.token}` })
    case 'oauth2':
      return oauth2Auth(uri, settings, components)
    case 'sigv4':
      return sigV4Auth(settings, components)
  }
}

function fixedAuth(headers: AuthHeaders): RestAuth {
  return { authorize: async () => headers, renew: async () => false }
}
