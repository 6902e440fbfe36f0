import type { S3Client } from '@aws-sdk/client-s3'
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'

import { checkRange, missingObject, shortObject } from '../byte-range.ts'
import type { ByteRange } from '../byte-range.ts'
import { throwIfCancelled } from '../cancellation.ts'
import type { CallOptions, ObjectInfo } from '../object-store.ts'
import { s3Error, statusOf } from './s3-error.ts'
import { parseS3Location, parseS3Prefix } from './s3-location.ts'

/** Reads of one body: the SDK retries a request, but not a body that breaks off. */
const bodyAttemptsMax = 3

export async function getObject(
  client: S3Client,
  location: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  throwIfCancelled(signal, location)
  checkRange(range, location)
  if (range?.length === 0) return getNothing(client, location, range, signal)
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await readBody(client, location, range, signal)
      if (range !== undefined && bytes.length !== range.length) throw shortObject(location, range)
      return bytes
    } catch (error) {
      if (statusOf(error) === 416 && range !== undefined) throw shortObject(location, range)
      const failure = s3Error(error, 'read', location, signal)
      if (!(error instanceof BrokenBody) || attempt === bodyAttemptsMax) throw failure
    }
  }
}

export async function headObject(
  client: S3Client,
  location: string,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo | undefined> {
  throwIfCancelled(signal, location)
  const { bucket, key } = parseS3Location(location)
  try {
    const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), sendOptions(signal))
    return {
      location,
      sizeBytes: found.ContentLength ?? 0,
      lastModifiedMs: found.LastModified?.getTime() ?? 0,
    }
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw s3Error(error, 'read', location, signal)
  }
}

/**
 * Pages through ListObjectsV2. Keys that end in a slash are the directory marks of other clients, not objects.
 * @yields one object each, in the order of the keys
 */
export async function* listObjects(
  client: S3Client,
  prefix: string,
  { signal }: CallOptions = {},
): AsyncGenerator<ObjectInfo> {
  const { bucket, key, root } = parseS3Prefix(prefix)
  let token: string | undefined
  do {
    throwIfCancelled(signal, prefix)
    const page = { Bucket: bucket, Prefix: key, ...(token === undefined ? {} : { ContinuationToken: token }) }
    const answer = await client
      .send(new ListObjectsV2Command(page), sendOptions(signal))
      .catch((error: unknown) => {
        throw s3Error(error, 'list', prefix, signal)
      })
    for (const { Key, Size, LastModified } of answer.Contents ?? []) {
      if (Key === undefined || Key.endsWith('/')) continue
      yield { location: `${root}${Key}`, sizeBytes: Size ?? 0, lastModifiedMs: LastModified?.getTime() ?? 0 }
    }
    token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined
  } while (token !== undefined)
}

export function sendOptions(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

/** HTTP has no empty range. */
async function getNothing(
  client: S3Client,
  location: string,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const found = await headObject(client, location, signal)
  if (found === undefined) throw missingObject(location)
  if (range.offset > found.sizeBytes) throw shortObject(location, range, found.sizeBytes)
  return new Uint8Array(0)
}

class BrokenBody extends Error {}

async function readBody(
  client: S3Client,
  location: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { bucket, key } = parseS3Location(location)
  const bytes =
    range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
  const answer = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...bytes }),
    sendOptions(signal),
  )
  if (answer.Body === undefined) return new Uint8Array(0)
  const body = await answer.Body.transformToByteArray().catch((error: unknown) => {
    throw new BrokenBody('the body of an object broke off', { cause: error })
  })
  if (answer.ContentLength !== undefined && body.length !== answer.ContentLength) {
    throw new BrokenBody('the body of an object is shorter than announced')
  }
  return body
}
