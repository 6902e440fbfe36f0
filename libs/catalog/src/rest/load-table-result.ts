import { currentSchema, parseTableMetadata, parseViewMetadata } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import type { LoadedTable, LoadedView, TableIdentifier } from '../catalog.ts'
import { parseReadRestrictions } from '../read-restrictions.ts'
import { protocolError, readJsonObject, readStringMap } from './rest-config.ts'
import { parseRemoteSigning, parseStorageCredentials } from './storage-credentials.ts'

/** REST spec `LoadTableResult` and `CommitTableResponse` (which has no config). */
export function parseLoadTableResult(
  identifier: TableIdentifier,
  answer: JsonValue | undefined,
): LoadedTable {
  const result = readJsonObject(answer, 'table')
  const metadata = parseTableMetadata(result['metadata'] ?? null)
  const location = result['metadata-location']
  const storageCredentials = parseStorageCredentials(result['storage-credentials'])
  const remoteSigning = parseRemoteSigning(result['remote-signing-config'])
  const restrictions = parseReadRestrictions(result['read-restrictions'] ?? {}, currentSchema(metadata))
  return {
    identifier,
    metadata,
    metadataLocation: typeof location === 'string' ? location : undefined,
    config: readStringMap(result['config'], 'table config'),
    ...(storageCredentials.length === 0 ? {} : { storageCredentials }),
    ...(remoteSigning === undefined ? {} : { remoteSigning }),
    ...(restrictions === undefined ? {} : { readRestrictions: restrictions }),
  }
}

/** REST spec `LoadViewResult`. */
export function parseLoadViewResult(identifier: TableIdentifier, answer: JsonValue | undefined): LoadedView {
  const result = readJsonObject(answer, 'view')
  const location = result['metadata-location']
  if (typeof location !== 'string') throw protocolError('a view has no metadata-location')
  return {
    identifier,
    metadata: parseViewMetadata(result['metadata'] ?? null),
    metadataLocation: location,
    config: readStringMap(result['config'], 'view config'),
  }
}
