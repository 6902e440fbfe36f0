import type { ListMultipartUploadsCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'

import { throwIfCancelled } from '../cancellation.ts'
import type { CallOptions } from '../object-store.ts'
import { s3Error, statusOf } from './s3-error.ts'
import { parseS3Location } from './s3-location.ts'
import { sendOptions } from './s3-read.ts'

/** Keys whose uploads are looked for at the same time. */
const inFlightKeysMax = 8

/**
 * Aborts every multipart upload of these keys. One list per key, since MinIO lists uploads only when the prefix is the
 * whole key.
 */
export async function discardUploads(
  client: S3Client,
  locations: readonly string[],
  { signal }: CallOptions = {},
): Promise<void> {
  for (const location of locations) parseS3Location(location)
  const left = [...locations]
  const discardNext = async (): Promise<void> => {
    for (let location = left.pop(); location !== undefined; location = left.pop()) {
      await discardUploadsTo(client, location, signal)
    }
  }
  await Promise.all(Array.from({ length: inFlightKeysMax }, discardNext))
}

async function discardUploadsTo(client: S3Client, location: string, signal?: AbortSignal): Promise<void> {
  throwIfCancelled(signal, location)
  const { bucket, key } = parseS3Location(location)
  try {
    for (const UploadId of await uploadIdsOf(client, bucket, key, signal)) {
      await abortUpload(client, { Bucket: bucket, Key: key, UploadId }, signal)
    }
  } catch (error) {
    throw s3Error(error, 'discard the uploads to', location, signal)
  }
}

async function uploadIdsOf(
  client: S3Client,
  bucket: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const found: string[] = []
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (marker !== undefined) {
    const request = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...marker })
    const page = await client.send(request, sendOptions(signal))
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key === key && UploadId !== undefined) found.push(UploadId)
    }
    marker = nextMarker(page, key)
  }
  return found
}

/** Keys come in order and the key itself is the first that starts with it: a page that ends beyond it is the last. */
function nextMarker(
  page: ListMultipartUploadsCommandOutput,
  key: string,
): { KeyMarker: string; UploadIdMarker?: string } | undefined {
  const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
  if (IsTruncated !== true || NextKeyMarker !== key) return undefined
  return {
    KeyMarker: NextKeyMarker,
    ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
  }
}

async function abortUpload(
  client: S3Client,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(upload), sendOptions(signal))
  } catch (error) {
    // It ended in between.
    if (statusOf(error) !== 404) throw error
  }
}
