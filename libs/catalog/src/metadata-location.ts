import { joinLocation } from '@floe/storage'

/** Digits of the version that starts the name of a metadata file, so that names sort by version. */
const versionDigits = 5

/** Property that has metadata files removed which nothing needs any more. */
export const deleteAfterCommit = 'write.metadata.delete-after-commit.enabled'

/**
 * Where the next metadata file of a table or view goes: `<V+1>-<uuid>.metadata.json` (spec "Metastore Tables"). The uuid keeps
 * racing writers from taking the same name, so that the loser cannot remove the winner's file.
 */
export function newMetadataLocation(
  metadata: { readonly location: string; readonly properties: Readonly<Record<string, string>> },
  previous: string | undefined,
  uuid: string,
): string {
  const version = previous === undefined ? 0 : metadataVersion(previous) + 1
  const folder = metadata.properties['write.metadata.path'] ?? joinLocation(metadata.location, 'metadata')
  const isGzip = metadata.properties['write.metadata.compression-codec']?.toLowerCase() === 'gzip'
  const name = `${String(version).padStart(versionDigits, '0')}-${uuid}${isGzip ? '.gz' : ''}.metadata.json`
  return joinLocation(folder, name)
}

/** The version in the name of a metadata file, `-1` for a name of another form; `v3.metadata.json` is of version 3. */
export function metadataVersion(location: string): number {
  const digits = /(?:^|\/)v?(\d{1,15})(?:-[^/]*)?(?:\.gz)?\.metadata\.json(?:\.gz)?$/.exec(location)?.[1]
  return digits === undefined ? -1 : Number(digits)
}
