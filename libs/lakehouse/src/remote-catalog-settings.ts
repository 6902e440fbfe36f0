import { FloeError } from '@floe/iceberg'

/** How a catalog that is not ours is reached. */
export type RemoteCatalogSettings =
  | {
      readonly kind: 'rest'
      readonly uri: string
      readonly auth: CatalogAuth
      /** What the catalog calls the warehouse; its own default when absent. */
      readonly warehouse?: string
      readonly prefix?: string
      readonly headers?: Readonly<Record<string, string>>
      /** Whether the catalog is asked for credentials of a table's storage. */
      readonly vendedCredentials: boolean
    }
  | {
      readonly kind: 'glue'
      /** Region, catalog and endpoint of the AWS SDK when absent. */
      readonly region?: string
      readonly catalogId?: string
      readonly endpoint?: string
    }

type CatalogAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | {
      readonly kind: 'oauth2'
      readonly credential: string
      readonly scope?: string
      readonly serverUri?: string
    }
  | { readonly kind: 'sigv4'; readonly signingName: string; readonly region: string }

type Values = {
  readonly token?: string
  readonly catalogAuth?: string
  readonly catalogCredential?: string
  readonly catalogScope?: string
  readonly catalogOauth2Uri?: string
  readonly catalogSigningName?: string
  readonly catalogSigningRegion?: string
  readonly catalogWarehouse?: string
  readonly catalogPrefix?: string
  readonly catalogVendedCredentials?: string
  readonly s3AccessKeyId?: string
}

/** The settings of `http(s)://...` and `glue[://...]`; `undefined` for a catalog of another kind. */
export function parseRemoteCatalog(
  text: string,
  values: Values,
  headers: Readonly<Record<string, string>> | undefined,
): RemoteCatalogSettings | undefined {
  if (text === 'glue' || text.startsWith('glue:')) return parseGlue(text)
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { catalogWarehouse, catalogPrefix } = values
  return {
    kind: 'rest',
    uri: text,
    auth: parseAuth(new URL(text), values),
    ...(catalogWarehouse === undefined ? {} : { warehouse: catalogWarehouse }),
    ...(catalogPrefix === undefined ? {} : { prefix: catalogPrefix }),
    ...(headers === undefined ? {} : { headers }),
    vendedCredentials: wantsCredentials(values),
  }
}

/** Who brings keys of their own asks the catalog for none. */
function wantsCredentials({ catalogVendedCredentials, s3AccessKeyId }: Values): boolean {
  if (catalogVendedCredentials === undefined) return s3AccessKeyId === undefined
  if (catalogVendedCredentials === 'true' || catalogVendedCredentials === 'false')
    return catalogVendedCredentials === 'true'
  throw new FloeError('invalid-input', `catalogVendedCredentials is ${catalogVendedCredentials}`, {
    hint: 'give true or false',
  })
}

/** AWS names service and region in the host: `glue.eu-west-1.amazonaws.com`. */
const awsHost = /^(glue|s3tables)(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/

function parseAuth({ hostname }: URL, values: Values): CatalogAuth {
  const [, service, region] = awsHost.exec(hostname) ?? []
  const { token, catalogCredential, catalogScope, catalogOauth2Uri } = values
  const kind = values.catalogAuth ?? defaultAuth(values, service)
  switch (kind) {
    case 'none':
      return { kind }
    case 'bearer':
      return { kind, token: required('a token', 'FLOE_TOKEN', token) }
    case 'oauth2':
      return {
        kind,
        credential: required('client-id:client-secret', 'FLOE_CATALOG_CREDENTIAL', catalogCredential),
        ...(catalogScope === undefined ? {} : { scope: catalogScope }),
        ...(catalogOauth2Uri === undefined ? {} : { serverUri: catalogOauth2Uri }),
      }
    case 'sigv4':
      return {
        kind,
        signingName: required(
          'the service to sign for',
          'FLOE_CATALOG_SIGNING_NAME',
          values.catalogSigningName ?? service,
        ),
        region: required(
          'the region to sign for',
          'FLOE_CATALOG_SIGNING_REGION',
          values.catalogSigningRegion ?? region,
        ),
      }
    default:
      throw new FloeError('invalid-input', `catalog auth ${kind} is not known`, {
        hint: 'use bearer, oauth2, sigv4 or none',
      })
  }
}

function defaultAuth({ token, catalogCredential }: Values, service: string | undefined): string {
  if (token !== undefined) return 'bearer'
  if (catalogCredential !== undefined) return 'oauth2'
  return service === undefined ? 'none' : 'sigv4'
}

function required(what: string, variable: string, value: string | undefined): string {
  if (value !== undefined) return value
  throw new FloeError('invalid-input', `the catalog needs ${what}`, { hint: `set ${variable}` })
}

/** `glue`, or `glue://<region>?catalog-id=<account>&endpoint=<uri>`. */
function parseGlue(text: string): RemoteCatalogSettings {
  const match = /^glue(?::\/\/([a-z0-9-]*)\/?(?:\?(.*))?)?$/.exec(text)
  const query = new URLSearchParams(match?.[2] ?? '')
  const unknown = [...query.keys()].find((key) => key !== 'catalog-id' && key !== 'endpoint')
  if (match === null || unknown !== undefined) {
    throw new FloeError('invalid-input', `catalog ${text} is no Glue catalog`, {
      hint: 'write glue, glue://<region> or glue://<region>?catalog-id=<account>&endpoint=<uri>',
    })
  }
  const [region, catalogId, endpoint] = [match[1], query.get('catalog-id'), query.get('endpoint')]
  return {
    kind: 'glue',
    ...(region === undefined || region === '' ? {} : { region }),
    ...(catalogId === null ? {} : { catalogId }),
    ...(endpoint === null ? {} : { endpoint }),
  }
}
