import type { S3Settings, StoragePlace } from './object-store.ts'

/** The place whose prefix is the longest that a location starts with. */
export function findPlace(places: Iterable<StoragePlace>, location: string): StoragePlace | undefined {
  const spelled = comparable(location)
  let best: StoragePlace | undefined
  for (const place of places) {
    if (!spelled.startsWith(comparable(place.prefix))) continue
    if (best === undefined || place.prefix.length >= best.prefix.length) best = place
  }
  return best
}

/** Settings that are said win over those of the place; keys stand and fall together. */
export function mergeS3Settings(place: S3Settings, said: S3Settings = {}): S3Settings {
  if (said.accessKeyId === undefined) return { ...place, ...said }
  const { accessKeyId: _id, secretAccessKey: _secret, sessionToken: _token, ...rest } = place
  return { ...rest, ...said }
}

/** `s3a` is another name of `s3`. */
function comparable(location: string): string {
  return location.replace(/^s3a:/i, 's3:')
}
