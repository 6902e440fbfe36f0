import { FloeError } from '@floe/iceberg/values'

import { schemeOf } from '../location.ts'

/** `root` is the location's own spelling of scheme and bucket (`s3a://bucket/`), so that lists answer in it. */
export type S3Prefix = { readonly bucket: string; readonly key: string; readonly root: string }

/** Bucket and key of an object, the key byte for byte. */
export function parseS3Location(location: string): S3Prefix {
  const parsed = parseS3Prefix(location)
  if (parsed.key !== '' && !parsed.key.endsWith('/')) return parsed
  throw new FloeError('invalid-input', `${location} names a prefix, not an object`, {
    hint: 'write s3://bucket/key',
  })
}

/** Bucket and key prefix; the key may be empty. */
export function parseS3Prefix(location: string): S3Prefix {
  const match = schemeOf(location) === 's3' ? /^(s3a?:\/\/([^/]+))(?:\/(.*))?$/is.exec(location) : null
  const [, head, bucket, key] = match ?? []
  if (head === undefined || bucket === undefined) {
    throw new FloeError('invalid-input', `${location} is not in S3`, { hint: 'write s3://bucket/key' })
  }
  return { bucket, key: key ?? '', root: `${head}/` }
}
