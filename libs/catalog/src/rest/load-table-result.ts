import { currentSchema, parseTableMetadata, parseViewMetadata } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import type { LoadedTable, LoadedView, TableIdentifier } from '../catalog.ts'
import { parseReadRestrictions } from '../read-restrictions.ts'
import { protocolError, readJsonObject, readStringMap } from './rest-config.ts'

/** REST spec `LoadTableResult` and `CommitTableResponse` (which has no config). */
export function parseLoadTableResult(
  identifier: TableIdentifier,
  answer: JsonValue | undefined,
): LoadedTable {
  const result = readJsonObject(answer, 'table')
  const metadata = parseTableMetadata(result['metadata'] ?? null)
  const location = result['metadata-location']
  const restrictions = parseReadRestrictions(result['read-restrictions'] ?? {}, currentSchema(metadata))
  return {
    identifier,
    metadata,
    metadataLocation: typeof location === 'string' ? location : undefined,
    config: {
      ...readStringMap(result['config'], 'table config'),
      ...credentialsFor(metadata.location, result['storage-credentials']),
    },
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

/** REST spec `StorageCredential`: of those whose prefix fits, the longest counts, and wins over `config`. */
function credentialsFor(
  location: string,
  credentials: JsonValue | undefined,
): Readonly<Record<string, string>> {
  if (credentials === undefined || credentials === null) return {}
  if (!Array.isArray(credentials)) throw protocolError('storage-credentials is not an array')
  let best: { prefix: string; config: Readonly<Record<string, string>> } = { prefix: '', config: {} }
  for (const item of credentials) {
    const credential = readJsonObject(item, 'storage credential')
    const prefix = typeof credential['prefix'] === 'string' ? credential['prefix'] : ''
    if (!location.startsWith(prefix) || prefix.length < best.prefix.length) continue
    best = { prefix, config: readStringMap(credential['config'], 'storage credential') }
  }
  return best.config
}
