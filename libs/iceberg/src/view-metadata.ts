import { FloeError } from './error.ts'
import type { JsonObject } from './json.ts'
import type { Schema } from './schema.ts'

/**
 * How a view is expressed (view spec "Representations"). One of another type than `sql` is kept as it is, so that it
 * survives a rewrite.
 */
export type ViewRepresentation =
  | { readonly type: 'sql'; readonly sql: string; readonly dialect: string; readonly extra?: JsonObject }
  | { readonly type: 'other'; readonly json: JsonObject }

/** View spec "Versions". A `schemaId` of -1, in updates only, means the schema that the same commit added last. */
export type ViewVersion = {
  readonly versionId: number
  readonly timestampMs: number
  readonly schemaId: number
  readonly summary: Readonly<Record<string, string>>
  readonly representations: readonly ViewRepresentation[]
  readonly defaultCatalog?: string
  readonly defaultNamespace: readonly string[]
  readonly extra?: JsonObject
}

/** View spec "View Metadata". `extra` keeps JSON members this version does not know. */
export type ViewMetadata = {
  readonly viewUuid: string
  readonly formatVersion: 1
  readonly location: string
  readonly schemas: readonly Schema[]
  readonly currentVersionId: number
  readonly versions: readonly ViewVersion[]
  readonly versionLog: readonly {
    readonly timestampMs: number
    readonly versionId: number
    readonly extra?: JsonObject
  }[]
  readonly properties: Readonly<Record<string, string>>
  readonly extra?: JsonObject
}

/** The version that readers use. Throws `corrupt-data` when the id points nowhere. */
export function currentViewVersion(metadata: ViewMetadata): ViewVersion {
  const version = metadata.versions.find(({ versionId }) => versionId === metadata.currentVersionId)
  if (version !== undefined) return version
  throw new FloeError(
    'corrupt-data',
    `view ${metadata.viewUuid} at ${metadata.location}: current-version-id ${metadata.currentVersionId} points nowhere`,
  )
}
