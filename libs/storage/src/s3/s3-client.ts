import { S3Client } from '@aws-sdk/client-s3'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

import { FloeError } from '@floe/iceberg/values'

import { systemClock } from '../clock.ts'
import { askFreshKeys } from '../fresh-keys.ts'
import type { S3Settings } from '../object-store.ts'

const defaultRegion = 'us-east-1'
/** Sends of one call, the first one included; the SDK waits longer before each. */
const attemptsMax = 5
const connectTimeoutMs = 5_000
/** Silence on a socket. */
const idleTimeoutMs = 30_000
/** From the start of a request to the head of its answer: one part of 8 MiB at 0.5 Mbit/s. */
const requestTimeoutMs = 120_000

/** Keys that end sooner are not used for a new request. */
const keysLeftMsMin = 60_000

/** Where keys that end are made anew. */
export type KeyRenewal = { readonly name: string; readonly prefix: string }

/** What is absent from the settings comes from the SDK: environment, profile, instance role. */
export function createS3Client(settings: S3Settings, renewal?: KeyRenewal): S3Client {
  return new S3Client({
    ...givenSettings(settings, renewal),
    maxAttempts: attemptsMax,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: idleTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    // S3-compatible servers refuse the CRC trailers that the SDK otherwise adds to every request.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

function givenSettings(settings: S3Settings, renewal: KeyRenewal | undefined): S3ClientConfig {
  const { endpoint, region, pathStyle } = settings
  const credentials = credentialsOf(settings)
  return {
    region: region ?? (() => regionOfEnvironment()),
    // A server of one's own has one host name; only AWS names a host after each bucket.
    forcePathStyle: pathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined
      ? {}
      : { credentials: renewal === undefined ? credentials : freshCredentials(settings, renewal) }),
  }
}

type Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

function credentialsOf(settings: S3Settings): Credentials | undefined {
  const { accessKeyId, secretAccessKey, sessionToken, keysExpireAtMs } = settings
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(keysExpireAtMs === undefined ? {} : { expiration: new Date(keysExpireAtMs) }),
  }
}

/** The SDK asks again when the keys it has are about to end. */
function freshCredentials(first: S3Settings, { name, prefix }: KeyRenewal): () => Promise<Credentials> {
  let keys = first
  return async () => {
    const endMs = keys.keysExpireAtMs ?? Number.POSITIVE_INFINITY
    if (endMs - systemClock.now() < keysLeftMsMin) keys = await askFreshKeys(name, prefix)
    const credentials = credentialsOf(keys)
    if (credentials !== undefined) return credentials
    throw new FloeError('permission-denied', `there are no keys any more for ${prefix}`, {
      hint: 'the catalog has stopped handing out credentials for it',
    })
  }
}

/** The SDK's own answer, or the default where it has none. */
async function regionOfEnvironment(): Promise<string> {
  const probe = new S3Client({})
  try {
    return await probe.config.region()
  } catch {
    return defaultRegion
  } finally {
    probe.destroy()
  }
}
