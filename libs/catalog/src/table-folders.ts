import type { TableMetadata } from '@floe/iceberg'

/** Properties that say where writers put files: `write.data.path`, `write.metadata.path` and older names of them. */
const pathProperty = /^write\..*path$/

/** The places that properties of a table lead its writers to. */
export function placesOf(properties: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(properties).flatMap(([name, value]) => (pathProperty.test(name) ? [value] : []))
}

/** The folders that a table's writers put its files into. */
export function tableFolders({
  location,
  properties,
}: Pick<TableMetadata, 'location' | 'properties'>): readonly string[] {
  return [location, ...placesOf(properties).map(String)].filter((folder) => folder !== '')
}

/**
 * Whether a file or folder is in a folder, or is that folder: spelled as it is but for the scheme, and without a way
 * out. One that only begins with its name is not.
 */
export function isWithin(place: string, folder: string): boolean {
  if (!`${canonical(place)}/`.startsWith(`${trimmed(folder)}/`)) return false
  return !place.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
}

/** The folder of a table or view by the place of its metadata, which the spec's layout keeps in `metadata` below it. */
export function folderOfMetadata(metadataLocation: string): string {
  return parentOf(metadataLocation).replace(/\/metadata$/, '')
}

/**
 * The files that are a table's to remove: those in one of its own folders, and in no other table's that is the same or
 * lies deeper. What a table only refers to may belong to anybody.
 */
export function ownedFiles(
  files: ReadonlySet<string>,
  own: readonly string[],
  others: Iterable<string>,
): readonly string[] {
  const taken = new Set(Array.from(others, trimmed))
  const isOwned = (file: string): boolean => {
    const depth = Math.max(
      -1,
      ...own.filter((folder) => isWithin(file, folder)).map((at) => trimmed(at).length),
    )
    for (let at = parentOf(canonical(file)); at.length >= depth && depth >= 0; at = parentOf(at)) {
      if (taken.has(at)) return false
      if (at.length === depth) return true
    }
    return false
  }
  return [...files].filter(isOwned)
}

function parentOf(location: string): string {
  return location.slice(0, Math.max(0, location.lastIndexOf('/')))
}

function trimmed(folder: string): string {
  return canonical(folder).replace(/\/+$/, '')
}

/** The schemes of S3 are one to every client, and a local path may have one slash or three. */
function canonical(location: string): string {
  return location.replace(/^s3[an]?:/i, 's3:').replace(/^file:\/+/i, 'file:/')
}
