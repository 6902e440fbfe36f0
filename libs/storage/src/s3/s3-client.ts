import { S3Client } from '@aws-sdk/client-s3'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

import type { StoreSettings } from '../object-store.ts'

const defaultRegion = 'us-east-1'
/** Sends of one call, the first one included; the SDK waits longer before each. */
const attemptsMax = 5
const connectTimeoutMs = 5_000
/** Silence on a socket. */
const idleTimeoutMs = 30_000
/** From the start of a request to the head of its answer: one part of 8 MiB at 0.5 Mbit/s. */
const requestTimeoutMs = 120_000

/** What is absent from the settings comes from the SDK: environment, profile, instance role. */
export function createS3Client(settings: NonNullable<StoreSettings['s3']>): S3Client {
  return new S3Client({
    ...givenSettings(settings),
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

function givenSettings(settings: NonNullable<StoreSettings['s3']>): S3ClientConfig {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken, pathStyle } = settings
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined
  return {
    region: region ?? (() => regionOfEnvironment()),
    // A server of one's own has one host name; only AWS names a host after each bucket.
    forcePathStyle: pathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(hasKeys
      ? {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }
      : {}),
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
