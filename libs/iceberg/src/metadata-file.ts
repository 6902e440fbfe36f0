import { gunzipSync, gzipSync } from 'fflate'
import { FloeError } from './error.ts'
import { parseTableMetadata } from './table-metadata-json.ts'
import { serializeTableMetadata } from './table-metadata-text.ts'
import type { TableMetadata } from './table-metadata.ts'

const versionDigits = 5

/** The folder of a table's metadata files, where manifests and manifest lists go too. No slash at the end. */
export function metadataDirectory(table: Pick<TableMetadata, 'location' | 'properties'>): string {
  return (table.properties['write.metadata.path'] ?? `${table.location}/metadata`).replace(/\/$/, '')
}

/** `00003-<uuid>.metadata.json`: the uuid keeps two writers of one version from writing one file. */
export function metadataFileName(
  version: number,
  uuid: string,
  options: { readonly gzip?: boolean } = {},
): string {
  const codec = options.gzip === true ? '.gz' : ''
  return `${String(version).padStart(versionDigits, '0')}-${uuid}${codec}.metadata.json`
}

/** Name of the file that follows `previousLocation`; version 0 when there is none, or none can be read from its name. */
export function nextMetadataFileName(
  previousLocation: string | undefined,
  uuid: string,
  options: { readonly gzip?: boolean } = {},
): string {
  const version = previousLocation === undefined ? undefined : metadataFileVersion(previousLocation)
  return metadataFileName((version ?? -1) + 1, uuid, options)
}

/**
 * Version in a metadata file's name: `00003-<uuid>.metadata.json` of catalogs, `v3.metadata.json` of file system tables,
 * each also with `.gz` before or, from old writers, after `.metadata.json`.
 */
export function metadataFileVersion(location: string): number | undefined {
  const name = location.slice(location.lastIndexOf('/') + 1)
  const match = /^(?:v(\d+)|(\d+)-.+?)(?:\.gz)?\.metadata\.json(?:\.gz)?$/.exec(name)
  const digits = match?.[1] ?? match?.[2]
  const version = digits === undefined ? undefined : Number(digits)
  return Number.isSafeInteger(version) ? version : undefined
}

/** Metadata from the bytes of its file, plain or gzip by content: names have lied. Throws `corrupt-data`. */
export function decodeMetadataFile(bytes: Uint8Array): TableMetadata {
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseTableMetadata(new TextDecoder().decode(gzipped ? gunzip(bytes) : bytes))
}

function gunzip(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes)
  } catch (error) {
    throw new FloeError('corrupt-data', 'a gzip metadata file cannot be decompressed', { cause: error })
  }
}

/** Bytes of a metadata file; gzip when its name says so, as readers go by the name. */
export function encodeMetadataFile(metadata: TableMetadata, name: string): Uint8Array {
  const text = new TextEncoder().encode(serializeTableMetadata(metadata))
  return isGzipName(name) ? gzipSync(text, { mtime: 0 }) : text
}

function isGzipName(name: string): boolean {
  return name.endsWith('.gz.metadata.json') || name.endsWith('.metadata.json.gz')
}
