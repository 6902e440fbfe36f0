import { FloeError } from './error.ts'
import { readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { parseSchema, schemaToJson, type Schema } from './schema.ts'
import { readStrings } from './snapshot.ts'
import { parseViewVersion, viewVersionToJson } from './view-metadata-json.ts'
import type { ViewMetadata, ViewVersion } from './view-metadata.ts'

/**
 * One change of view metadata (REST spec `ViewUpdate`). An id of -1 in `set-current-view-version` means the version
 * that the same commit added last.
 */
export type ViewUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly formatVersion: number }
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
  | { readonly action: 'add-view-version'; readonly viewVersion: ViewVersion }
  | { readonly action: 'set-current-view-version'; readonly viewVersionId: number }

/** One condition of a view's commit (REST spec `ViewRequirement`). */
export type ViewRequirement = { readonly type: 'assert-view-uuid'; readonly uuid: string }

/** Update from its REST form. Throws `invalid-input`, also for an action that is not known: it must not be lost. */
export function parseViewUpdate(json: JsonValue): ViewUpdate {
  const object = readObject(json, 'update')
  const action = readString(object, 'action', 'update').toLowerCase()
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: readString(object, 'uuid', action) }
    case 'upgrade-format-version':
      return { action, formatVersion: readInteger(object, 'format-version', action) }
    case 'add-schema':
      return { action, schema: parseSchema(object['schema'] ?? null) }
    case 'set-location':
      return { action, location: readString(object, 'location', action) }
    case 'set-properties':
      return { action, updates: readStrings(object['updates'] ?? object['updated'], `${action}: "updates"`) }
    case 'remove-properties':
      return {
        action,
        removals: readArray(object['removals'] ?? object['removed'], `${action}: "removals"`).map((key) =>
          readString({ key }, 'key', action),
        ),
      }
    case 'add-view-version':
      return { action, viewVersion: parseViewVersion(object['view-version']) }
    case 'set-current-view-version':
      return { action, viewVersionId: readInteger(object, 'view-version-id', action) }
    default:
      throw new FloeError('invalid-input', `view update "${action}" is not known`)
  }
}

/** Inverse of `parseViewUpdate`. */
export function viewUpdateToJson(update: ViewUpdate): JsonObject {
  const { action } = update
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid }
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion }
    case 'add-schema':
      return { action, schema: schemaToJson(update.schema) }
    case 'set-location':
      return { action, location: update.location }
    case 'set-properties':
      return { action, updates: update.updates }
    case 'remove-properties':
      return { action, removals: update.removals }
    case 'add-view-version':
      return { action, 'view-version': viewVersionToJson(update.viewVersion) }
    case 'set-current-view-version':
      return { action, 'view-version-id': update.viewVersionId }
  }
}

/** Requirement from its REST form. Throws `invalid-input`, also for a type that is not known: it must not pass unchecked. */
export function parseViewRequirement(json: JsonValue): ViewRequirement {
  const object = readObject(json, 'requirement')
  const type = readString(object, 'type', 'requirement').toLowerCase()
  if (type === 'assert-view-uuid') return { type, uuid: readString(object, 'uuid', type) }
  throw new FloeError('invalid-input', `view requirement "${type}" is not known`)
}

/** Inverse of `parseViewRequirement`. */
export function viewRequirementToJson({ type, uuid }: ViewRequirement): JsonObject {
  return { type, uuid }
}

/** @throws FloeError commit-conflict, not retryable as it stands: the writer has to reload and decide again */
export function checkViewRequirement(base: ViewMetadata, requirement: ViewRequirement): void {
  if (requirement.uuid.toLowerCase() === base.viewUuid.toLowerCase()) return
  const message = `Requirement failed: view UUID does not match: expected ${base.viewUuid} != ${requirement.uuid}`
  throw new FloeError('commit-conflict', message, {
    hint: 'reload the view and prepare the commit again',
  })
}
