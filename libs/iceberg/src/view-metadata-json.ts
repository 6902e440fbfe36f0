import { FloeError } from './error.ts'
import { extraMembers, isPresent, readArray, readInteger, readObject, readString } from './json-member.ts'
import { parseJson, stringifyJson, type JsonObject, type JsonValue } from './json.ts'
import { parseSchema, schemaToJson } from './schema.ts'
import { readStrings } from './snapshot.ts'
import {
  currentViewVersion,
  type ViewMetadata,
  type ViewRepresentation,
  type ViewVersion,
} from './view-metadata.ts'

const viewMembers: ReadonlySet<string> = new Set([
  'view-uuid',
  'format-version',
  'location',
  'schemas',
  'current-version-id',
  'versions',
  'version-log',
  'properties',
])
const versionMembers: ReadonlySet<string> = new Set([
  'version-id',
  'timestamp-ms',
  'schema-id',
  'summary',
  'representations',
  'default-catalog',
  'default-namespace',
])
const versionLogMembers: ReadonlySet<string> = new Set(['timestamp-ms', 'version-id'])
const representationMembers: ReadonlySet<string> = new Set(['type', 'sql', 'dialect'])

/**
 * View metadata (view spec "View Metadata") from text, or from JSON that is parsed without loss.
 * @throws FloeError corrupt-data for what breaks the spec, unsupported for a later version
 */
export function parseViewMetadata(source: string | JsonValue): ViewMetadata {
  try {
    const object = readObject(typeof source === 'string' ? parseJson(source) : source, 'view metadata')
    const metadata = metadataFromJson(object)
    currentViewVersion(metadata)
    return metadata
  } catch (error) {
    if (!(error instanceof FloeError) || error.code !== 'invalid-input') throw error
    throw new FloeError('corrupt-data', `view metadata: ${error.message}`, {
      hint: 'the metadata file is damaged, or its writer broke the Iceberg view spec',
      cause: error,
    })
  }
}

function metadataFromJson(object: JsonObject): ViewMetadata {
  const formatVersion = readInteger(object, 'format-version', 'view')
  if (formatVersion !== 1) {
    throw new FloeError('unsupported', `view metadata has format version ${formatVersion}; 1 can be read`)
  }
  return {
    viewUuid: readString(object, 'view-uuid', 'view'),
    formatVersion,
    location: readString(object, 'location', 'view'),
    schemas: readArray(object['schemas'], '"schemas"').map(parseSchema),
    currentVersionId: readInteger(object, 'current-version-id', 'view'),
    versions: readArray(object['versions'], '"versions"').map(parseViewVersion),
    versionLog: readArray(object['version-log'], '"version-log"').map((item) => {
      const entry = readObject(item, 'version log entry')
      return {
        timestampMs: readInteger(entry, 'timestamp-ms', 'version log entry'),
        versionId: readInteger(entry, 'version-id', 'version log entry'),
        ...extraMembers(entry, versionLogMembers),
      }
    }),
    properties: isPresent(object['properties']) ? readStrings(object['properties'], 'properties') : {},
    ...extraMembers(object, viewMembers),
  }
}

/** A view version from its JSON form. Throws `invalid-input`. */
export function parseViewVersion(json: JsonValue | undefined): ViewVersion {
  const object = readObject(json, 'view version')
  const { 'default-catalog': catalog, 'default-namespace': namespace } = object
  return {
    versionId: readInteger(object, 'version-id', 'view version'),
    timestampMs: readInteger(object, 'timestamp-ms', 'view version'),
    schemaId: readInteger(object, 'schema-id', 'view version'),
    summary: isPresent(object['summary']) ? readStrings(object['summary'], 'view version summary') : {},
    representations: readArray(object['representations'], '"representations"').map(parseRepresentation),
    ...(isPresent(catalog) ? { defaultCatalog: readString(object, 'default-catalog', 'view version') } : {}),
    defaultNamespace: readArray(namespace, '"default-namespace"').map((level) =>
      readString({ level }, 'level', 'default namespace'),
    ),
    ...extraMembers(object, versionMembers),
  }
}

function parseRepresentation(json: JsonValue): ViewRepresentation {
  const object = readObject(json, 'view representation')
  if (readString(object, 'type', 'view representation').toLowerCase() !== 'sql')
    return { type: 'other', json: object }
  return {
    type: 'sql',
    sql: readString(object, 'sql', 'view representation'),
    dialect: readString(object, 'dialect', 'view representation'),
    ...extraMembers(object, representationMembers),
  }
}

/** Inverse of `parseViewVersion`. */
export function viewVersionToJson(version: ViewVersion): JsonObject {
  const { defaultCatalog } = version
  return {
    'version-id': version.versionId,
    'timestamp-ms': version.timestampMs,
    'schema-id': version.schemaId,
    summary: version.summary,
    ...(defaultCatalog === undefined ? {} : { 'default-catalog': defaultCatalog }),
    'default-namespace': version.defaultNamespace,
    representations: version.representations.map(representationToJson),
    ...version.extra,
  }
}

function representationToJson(representation: ViewRepresentation): JsonObject {
  if (representation.type === 'other') return representation.json
  const { type, sql, dialect, extra } = representation
  return { type, sql, dialect, ...extra }
}

/** Inverse of `parseViewMetadata`. */
export function viewMetadataToJson(metadata: ViewMetadata): JsonObject {
  return {
    'view-uuid': metadata.viewUuid,
    'format-version': metadata.formatVersion,
    location: metadata.location,
    properties: metadata.properties,
    schemas: metadata.schemas.map(schemaToJson),
    'current-version-id': metadata.currentVersionId,
    versions: metadata.versions.map(viewVersionToJson),
    'version-log': metadata.versionLog.map(({ timestampMs, versionId, extra }) => ({
      'timestamp-ms': timestampMs,
      'version-id': versionId,
      ...extra,
    })),
    ...metadata.extra,
  }
}

/** The text of a view's metadata file. */
export function serializeViewMetadata(metadata: ViewMetadata): string {
  return stringifyJson(viewMetadataToJson(metadata))
}
