import { randomUUID } from 'node:crypto'

import { DeleteObjectsCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { FloeError } from '@floe/iceberg/values'

import { throwIfCancelled } from '../cancellation.ts'
import type { ObjectStore, StoreSettings } from '../object-store.ts'
import { createS3Client } from './s3-client.ts'
import type { KeyRenewal } from './s3-client.ts'
import { discardUploads } from './discard-uploads.ts'
import { attemptsOf, s3Error, statusOf } from './s3-error.ts'
import { parseS3Location } from './s3-location.ts'
import { getObject, headObject, listObjects, sendOptions } from './s3-read.ts'
import { S3Upload } from './s3-upload.ts'
import type { UploadLimits } from './s3-upload.ts'

const defaultPartBytes = 8 * 1024 * 1024
const defaultInFlightPartsMax = 3
/** S3 takes no smaller part but the last, and at most 10,000 parts. */
const partBytesMin = 5 * 1024 * 1024
/** Keys of one DeleteObjects. */
const deleteKeysMax = 1000
/** Puts of one conditional put that meets others under way (HTTP 409). */
const conditionalPutsMax = 5
/** Names the one call that wrote an object, so that a call whose answer was lost finds out that it won. */
const putIdKey = 'floe-put-id'

/** `close` lets go of the sockets. */
export type S3Store = ObjectStore & { close(): void }

/** `uniqueId` names each conditional put: no two processes may ever get the same. */
export type S3StoreComponents = { readonly uniqueId: () => string }

/**
 * Objects of S3 and of servers that speak its protocol. The server must honour `If-None-Match: *` on PutObject.
 * @throws `invalid-input` for limits that S3 refuses
 */
export function openS3Store(
  settings: StoreSettings,
  components: S3StoreComponents = { uniqueId: () => randomUUID() },
  renewal?: KeyRenewal,
): S3Store {
  const limits = uploadLimits(settings)
  const client = createS3Client(settings.s3 ?? {}, renewal)
  return {
    get: (location, { range, signal } = {}) => getObject(client, location, range, signal),
    head: (location, { signal } = {}) => headObject(client, location, signal),
    put: (location, bytes, { signal } = {}) => putObject(client, location, bytes, signal),
    putIfAbsent: (location, bytes, { signal } = {}) =>
      putObjectIfAbsent(client, location, bytes, components.uniqueId(), signal),
    openUpload: async (location, { signal } = {}) => {
      throwIfCancelled(signal, location)
      return new S3Upload(client, location, limits, signal)
    },
    list: (prefix, options) => listObjects(client, prefix, options),
    delete: async (locations, { signal } = {}) => {
      const byBucket = Map.groupBy(locations, (location) => parseS3Location(location).bucket)
      for (const [bucket, group] of byBucket) {
        for (let start = 0; start < group.length; start += deleteKeysMax) {
          await deleteObjects(client, bucket, group.slice(start, start + deleteKeysMax), signal)
        }
      }
    },
    discardUploads: (locations, options) => discardUploads(client, locations, options),
    close: () => client.destroy(),
  }
}

function uploadLimits(settings: StoreSettings): UploadLimits {
  const { partBytes = defaultPartBytes, inFlightPartsMax = defaultInFlightPartsMax } = settings
  if (!Number.isSafeInteger(partBytes) || partBytes < partBytesMin) {
    throw new FloeError('invalid-input', `partBytes is ${partBytes}`, {
      hint: `S3 takes no part under ${partBytesMin}`,
    })
  }
  if (!Number.isSafeInteger(inFlightPartsMax) || inFlightPartsMax < 1) {
    throw new FloeError('invalid-input', `inFlightPartsMax is ${inFlightPartsMax}`, {
      hint: 'give a whole number >= 1',
    })
  }
  return { partBytes, inFlightPartsMax }
}

async function putObject(
  client: S3Client,
  location: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  throwIfCancelled(signal, location)
  const { bucket, key } = parseS3Location(location)
  try {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }), sendOptions(signal))
  } catch (error) {
    throw s3Error(error, 'write', location, signal)
  }
}

async function putObjectIfAbsent(
  client: S3Client,
  location: string,
  bytes: Uint8Array,
  putId: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  throwIfCancelled(signal, location)
  const { bucket, key } = parseS3Location(location)
  const put = { Bucket: bucket, Key: key, Body: bytes, IfNoneMatch: '*', Metadata: { [putIdKey]: putId } }
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(new PutObjectCommand(put), sendOptions(signal))
      return true
    } catch (error) {
      const status = statusOf(error)
      // Sent more than once, the first may have won and its answer been lost: then 412 speaks of our own object.
      if (status === 412) return attemptsOf(error) > 1 && (await isWrittenBy(client, location, putId, signal))
      if (status !== 409 || attempt === conditionalPutsMax) throw s3Error(error, 'write', location, signal)
    }
  }
}

async function isWrittenBy(
  client: S3Client,
  location: string,
  putId: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { bucket, key } = parseS3Location(location)
  try {
    const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), sendOptions(signal))
    return found.Metadata?.[putIdKey] === putId
  } catch (error) {
    throw s3Error(error, 'read', location, signal)
  }
}

async function deleteObjects(
  client: S3Client,
  bucket: string,
  locations: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const [first = bucket] = locations
  throwIfCancelled(signal, first)
  const Objects = locations.map((location) => ({ Key: parseS3Location(location).key }))
  const request = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } })
  const answer = await client.send(request, sendOptions(signal)).catch((error: unknown) => {
    throw s3Error(error, 'delete', first, signal)
  })
  const failed = answer.Errors?.find(({ Code }) => Code !== 'NoSuchKey')
  if (failed === undefined) return
  const cause = Object.assign(new Error(failed.Message ?? ''), { name: failed.Code ?? 'Error' })
  throw s3Error(cause, 'delete', `s3://${bucket}/${failed.Key ?? ''}`, signal)
}
