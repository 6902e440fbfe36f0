import { FloeError } from './error.ts'
import { jsonEqual } from './json.ts'
import { withoutTrailingSlash } from './new-table-metadata.ts'
import { schemasEqual, type Schema } from './schema.ts'
import { viewVersionToJson } from './view-metadata-json.ts'
import type { ViewMetadata, ViewVersion } from './view-metadata.ts'
import type { ViewUpdate } from './view-update.ts'

const dropDialectProperty = 'replace.drop-dialect.allowed'
const historySizeProperty = 'version.history.num-entries'
const historySizeDefault = 10

/** Id of an update that means: the one that this commit added last. */
const lastAdded = -1

type Draft = {
  readonly metadata: ViewMetadata
  readonly nowMs: number
  readonly addedVersionIds: ReadonlySet<number>
  readonly lastAddedSchemaId?: number
  readonly lastAddedVersionId?: number
}

/**
 * Applies the updates of one commit in their order, with the meaning that Java's `ViewMetadata.Builder` gives them.
 * @returns `base` itself when nothing changes
 * @throws FloeError invalid-input, also for a new version that would drop a SQL dialect without leave
 */
export function applyViewUpdates(
  base: ViewMetadata,
  updates: readonly ViewUpdate[],
  { nowMs }: { readonly nowMs: number },
): ViewMetadata {
  const draft = applyAll({ metadata: base, nowMs, addedVersionIds: new Set() }, updates)
  if (draft.metadata === base) return base
  if (draft.metadata.properties[dropDialectProperty]?.toLowerCase() !== 'true')
    checkDialects(base, draft.metadata)
  return finishDraft(draft, base.currentVersionId)
}

export type NewView = {
  readonly schema: Schema
  /** Its version id and schema id are assigned. */
  readonly version: ViewVersion
  readonly location: string
  readonly properties?: Readonly<Record<string, string>>
  readonly uuid: string
  readonly nowMs: number
}

/** Metadata of a view with one version: version 1 with schema 0. Throws `invalid-input` for a dialect that comes twice. */
export function newViewMetadata({
  schema,
  version,
  location,
  properties,
  uuid,
  nowMs,
}: NewView): ViewMetadata {
  const empty: ViewMetadata = {
    viewUuid: uuid,
    formatVersion: 1,
    location: withoutTrailingSlash(location),
    schemas: [],
    currentVersionId: 0,
    versions: [],
    versionLog: [],
    properties: properties ?? {},
  }
  const draft = applyAll({ metadata: empty, nowMs, addedVersionIds: new Set() }, [
    { action: 'add-schema', schema },
    { action: 'add-view-version', viewVersion: { ...version, versionId: 1, schemaId: lastAdded } },
    { action: 'set-current-view-version', viewVersionId: lastAdded },
  ])
  return finishDraft(draft, 0)
}

function applyAll(start: Draft, updates: readonly ViewUpdate[]): Draft {
  let draft = start
  for (const update of updates) draft = applyUpdate(draft, update)
  return draft
}

function applyUpdate(draft: Draft, update: ViewUpdate): Draft {
  const { metadata } = draft
  switch (update.action) {
    case 'assign-uuid':
      if (update.uuid.toLowerCase() === metadata.viewUuid.toLowerCase()) return draft
      throw invalid(`the view has uuid ${metadata.viewUuid}, it cannot become ${update.uuid}`)
    case 'upgrade-format-version':
      if (update.formatVersion === metadata.formatVersion) return draft
      throw invalid(`views have format version 1, not ${update.formatVersion}`)
    case 'add-schema':
      return addSchema(draft, update.schema)
    case 'set-location': {
      const location = withoutTrailingSlash(update.location)
      return location === metadata.location ? draft : change(draft, { location })
    }
    case 'set-properties': {
      const changed = Object.entries(update.updates).some(
        ([key, value]) => metadata.properties[key] !== value,
      )
      return changed ? change(draft, { properties: { ...metadata.properties, ...update.updates } }) : draft
    }
    case 'remove-properties': {
      const removals = new Set(update.removals)
      const kept = Object.entries(metadata.properties).filter(([key]) => !removals.has(key))
      if (kept.length === Object.keys(metadata.properties).length) return draft
      return change(draft, { properties: Object.fromEntries(kept) })
    }
    case 'add-view-version':
      return addVersion(draft, update.viewVersion)
    case 'set-current-view-version':
      return setCurrentVersion(draft, update.viewVersionId)
  }
}

function addSchema(draft: Draft, schema: Schema): Draft {
  const { schemas } = draft.metadata
  const equal = schemas.find((known) => schemasEqual(known, schema))
  if (equal !== undefined) return { ...draft, lastAddedSchemaId: equal.schemaId }
  const schemaId = schemas.reduce((id, known) => Math.max(id, known.schemaId + 1), 0)
  return {
    ...change(draft, { schemas: [...schemas, { ...schema, schemaId }] }),
    lastAddedSchemaId: schemaId,
  }
}

function addVersion(draft: Draft, requested: ViewVersion): Draft {
  const { versions, schemas } = draft.metadata
  const schemaId = requested.schemaId === lastAdded ? draft.lastAddedSchemaId : requested.schemaId
  if (schemaId === undefined) throw invalid('cannot set the last added schema: the commit adds no schema')
  if (!schemas.some((schema) => schema.schemaId === schemaId)) {
    throw invalid(`the view version has the unknown schema ${schemaId}`)
  }
  checkDialectsOnce(requested)
  const version = { ...requested, schemaId }
  const equal = versions.find((known) => isSameVersion(known, version))
  if (equal !== undefined) return { ...draft, lastAddedVersionId: equal.versionId }
  // Another commit may have taken the id meanwhile; whoever made this version cannot know.
  const versionId = versions.reduce((id, known) => Math.max(id, known.versionId + 1), version.versionId)
  return {
    ...change(draft, { versions: [...versions, { ...version, versionId }] }),
    addedVersionIds: new Set([...draft.addedVersionIds, versionId]),
    lastAddedVersionId: versionId,
  }
}

function setCurrentVersion(draft: Draft, id: number): Draft {
  const versionId = id === lastAdded ? draft.lastAddedVersionId : id
  if (versionId === undefined) throw invalid('cannot set the last added version: the commit adds no version')
  if (!draft.metadata.versions.some((version) => version.versionId === versionId)) {
    throw invalid(`cannot set the unknown view version ${versionId}`)
  }
  return versionId === draft.metadata.currentVersionId
    ? draft
    : change(draft, { currentVersionId: versionId })
}

/** Same meaning, whatever id and time (an equal version is not added twice). */
function isSameVersion(a: ViewVersion, b: ViewVersion): boolean {
  const comparable = (version: ViewVersion): ReturnType<typeof viewVersionToJson> =>
    viewVersionToJson({ ...version, versionId: 0, timestampMs: 0 })
  return jsonEqual(comparable(a), comparable(b))
}

/** The log entry of the new current version, and no more versions than the view keeps. */
function finishDraft({ metadata, nowMs, addedVersionIds }: Draft, previousVersionId: number): ViewMetadata {
  const { currentVersionId, versionLog } = metadata
  const current = metadata.versions.find(({ versionId }) => versionId === currentVersionId)
  if (current === undefined) throw invalid('the commit makes a view without a current version')
  // A version that is taken up again is current from now on, not from when it was made.
  const timestampMs = addedVersionIds.has(currentVersionId) ? current.timestampMs : nowMs
  const log =
    currentVersionId === previousVersionId
      ? versionLog
      : [...versionLog, { timestampMs, versionId: currentVersionId }]
  const kept = keptVersionIds(metadata, addedVersionIds)
  return {
    ...metadata,
    versions: metadata.versions.filter(({ versionId }) => kept.has(versionId)),
    // The log has no gaps: what came before an expired version goes with it.
    versionLog: log.slice(log.findLastIndex(({ versionId }) => !kept.has(versionId)) + 1),
  }
}

function keptVersionIds(metadata: ViewMetadata, added: ReadonlySet<number>): ReadonlySet<number> {
  const text = metadata.properties[historySizeProperty]
  const size = text === undefined ? historySizeDefault : Number(text)
  if (!Number.isSafeInteger(size) || size < 1)
    throw invalid(`property ${historySizeProperty} must be positive`)
  const needed = new Set([...added, metadata.currentVersionId])
  const newest = metadata.versions.map(({ versionId }) => versionId).sort((a, b) => b - a)
  for (const id of newest) {
    if (needed.size >= size) break
    needed.add(id)
  }
  return needed
}

/** A version has at most one query for each dialect, whatever its case. */
function checkDialectsOnce(version: ViewVersion): void {
  const dialects = sqlDialects(version)
  const twice = dialects.find((dialect, at) => dialects.indexOf(dialect) !== at)
  if (twice === undefined) return
  throw invalid(`Invalid view version: Cannot add multiple queries for dialect ${twice}`)
}

function checkDialects(base: ViewMetadata, next: ViewMetadata): void {
  const dialectsOf = ({ versions, currentVersionId }: ViewMetadata): readonly string[] =>
    versions.filter(({ versionId }) => versionId === currentVersionId).flatMap(sqlDialects)
  const kept = new Set(dialectsOf(next))
  const lost = dialectsOf(base).filter((dialect) => !kept.has(dialect))
  if (lost.length === 0) return
  throw new FloeError('invalid-input', `the new version drops the dialects ${lost.join(', ')}`, {
    hint: `send a query for each, or set the property ${dropDialectProperty} to true`,
  })
}

function sqlDialects({ representations }: ViewVersion): readonly string[] {
  return representations.flatMap((item) => (item.type === 'sql' ? [item.dialect.toLowerCase()] : []))
}

function change(draft: Draft, metadata: Partial<ViewMetadata>): Draft {
  return { ...draft, metadata: { ...draft.metadata, ...metadata } }
}

function invalid(message: string): FloeError {
  return new FloeError('invalid-input', message)
}
