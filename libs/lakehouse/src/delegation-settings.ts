import { FloeError } from '@floe/iceberg'

/** How clients of the catalog reach the files of tables in S3 without keys of their own. */
export type S3Delegation = {
  /** Keys for one table from STS; absent where there is none. */
  readonly sessions?: {
    readonly roleArn?: string
    readonly stsEndpoint?: string
    readonly externalId?: string
    readonly durationSeconds: number
  }
  /** Whether requests are signed for clients that ask for it. */
  readonly remoteSigning: boolean
  readonly signerUri?: string
  /** Whether clients may delete objects. */
  readonly deletes: boolean
  /** Whether tables at locations that a client chose are given access to. */
  readonly chosenLocations: boolean
}

/** Setting names and the variables that hold them. */
export const delegationNames = {
  s3RoleArn: 'FLOE_S3_ROLE_ARN',
  s3StsEndpoint: 'FLOE_S3_STS_ENDPOINT',
  s3ExternalId: 'FLOE_S3_EXTERNAL_ID',
  s3SessionSeconds: 'FLOE_S3_SESSION_SECONDS',
  s3RemoteSigning: 'FLOE_S3_REMOTE_SIGNING',
  s3SignerUri: 'FLOE_S3_SIGNER_URI',
  s3DelegatedDeletes: 'FLOE_S3_DELEGATED_DELETES',
  s3DelegateChosenLocations: 'FLOE_S3_DELEGATE_CHOSEN_LOCATIONS',
} as const

export type DelegationValues = { readonly [name in keyof typeof delegationNames]?: string }

/** AWS gives sessions of 15 minutes to 12 hours. */
const sessionSecondsMin = 900
const sessionSecondsMax = 43_200
const sessionSecondsDefault = 3600

/**
 * @param isDropKept  dropped tables can be brought back: clients must not delete their files
 * @throws FloeError invalid-input naming the setting
 */
export function parseDelegation(values: DelegationValues, isDropKept: boolean): S3Delegation {
  const { s3RoleArn: roleArn, s3StsEndpoint: stsEndpoint, s3ExternalId: externalId, s3SignerUri } = values
  const hasSessions = roleArn !== undefined || stsEndpoint !== undefined
  for (const [name, uri] of Object.entries({ s3StsEndpoint: stsEndpoint, s3SignerUri }))
    if (uri !== undefined && !/^https?:\/\//.test(uri))
      throw wrong(name, uri, 'give a URL that starts with http:// or https://')
  return {
    ...(hasSessions
      ? {
          sessions: {
            durationSeconds: parseSeconds(values.s3SessionSeconds),
            ...(roleArn === undefined ? {} : { roleArn }),
            ...(stsEndpoint === undefined ? {} : { stsEndpoint }),
            ...(externalId === undefined ? {} : { externalId }),
          },
        }
      : {}),
    remoteSigning: parseFlag('s3RemoteSigning', values.s3RemoteSigning, true),
    deletes: parseDeletes(values.s3DelegatedDeletes, isDropKept),
    chosenLocations: parseFlag('s3DelegateChosenLocations', values.s3DelegateChosenLocations, false),
    ...(s3SignerUri === undefined ? {} : { signerUri: s3SignerUri }),
  }
}

function parseDeletes(text: string | undefined, isDropKept: boolean): boolean {
  const deletes = parseFlag('s3DelegatedDeletes', text, !isDropKept)
  if (!deletes || !isDropKept) return deletes
  const hint =
    'a client that purges a table removes its files itself: leave it out, or set dropRetentionSeconds to 0'
  throw wrong('s3DelegatedDeletes', `${text} while dropped tables are to be kept`, hint)
}

function parseSeconds(text: string | undefined): number {
  if (text === undefined) return sessionSecondsDefault
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= sessionSecondsMin && seconds <= sessionSecondsMax) return seconds
  throw wrong(
    's3SessionSeconds',
    text,
    `give a whole number from ${sessionSecondsMin} to ${sessionSecondsMax}`,
  )
}

function parseFlag(name: string, text: string | undefined, fallback: boolean): boolean {
  if (text === undefined) return fallback
  if (text === 'true' || text === 'false') return text === 'true'
  throw wrong(name, text, 'give true or false')
}

function wrong(name: string, text: string, hint: string): FloeError {
  return new FloeError('invalid-input', `${name} is ${text}`, { hint })
}
