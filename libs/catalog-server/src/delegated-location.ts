import type { TableMetadata } from '@floe/iceberg'

/** The catalog ends the folders of its tables in as many digits of their uuid. */
const uuidDigits = 8

/**
 * The folder that access to a table's files may be given for, as `s3://bucket/key` without a slash at its end.
 * @param chosenLocations  whether that may be a folder that a client chose; else it must be the table's own by the
 * digits of its uuid, since a table may be set to the location of any other
 */
export function delegatedLocation(
  { location, tableUuid }: Pick<TableMetadata, 'location' | 'tableUuid'>,
  chosenLocations: boolean,
): string | undefined {
  const folder = canonicalLocation(location).replace(/\/+$/, '')
  if (!/^s3:\/\/[^/]+\/[^/]/.test(folder) || folder.split('/').some((part) => part === '.' || part === '..'))
    return undefined
  const isOwn = folder.endsWith(`-${tableUuid.replaceAll('-', '').slice(0, uuidDigits)}`)
  return isOwn || chosenLocations ? folder : undefined
}

/** Whether an object, or every object of a prefix, lies in a folder: one that only begins with its name does not. */
export function isInFolder(location: string, folder: string): boolean {
  return canonicalLocation(location).startsWith(`${folder}/`)
}

function canonicalLocation(location: string): string {
  return location.replace(/^s3[an]?:/i, 's3:')
}
