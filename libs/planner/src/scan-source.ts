import { FloeError, snapshotById } from '@floe/iceberg'
import type { ManifestFile, Schema, Snapshot, TableMetadata } from '@floe/iceberg'

import { mapBounded } from './bounded-concurrency.ts'
import { loadManifests } from './load-manifest.ts'
import type { LiveEntry, ManifestReader } from './load-manifest.ts'
import { resolveSnapshot, selectedSchema } from './snapshot-selector.ts'
import type { SnapshotSelector } from './snapshot-selector.ts'

/** Manifests, and manifest lists, read at a time. */
export const manifestsInFlightMax = 8

export type SourceRequest = {
  readonly metadata: TableMetadata
  /** The current version when absent. */
  readonly selector?: SnapshotSelector
  /** Makes it an incremental scan: only what appends have added after this snapshot, up to the selected one. */
  readonly appendedAfter?: bigint
  /** Columns of the rows, and what the filter binds to; what `selectedSchema` says when absent. */
  readonly schema?: Schema
  /** See `ResolveOptions`. */
  readonly nowMs?: number
}

/** The version that a scan reads, and the manifests that describe it, in an order that never changes. */
export type ScanSource = {
  /** `undefined` for a table without data. */
  readonly snapshot: Snapshot | undefined
  readonly schema: Schema
  readonly manifests: readonly ManifestFile[]
  /** Of an incremental scan, whether an entry was appended by one of its snapshots. */
  readonly isAppended?: (entry: LiveEntry) => boolean
}

/**
 * @throws FloeError not-found for unknown versions and missing files, invalid-input for a start that is no ancestor
 */
export async function openSource(request: SourceRequest, reader: ManifestReader): Promise<ScanSource> {
  const { metadata, selector = { kind: 'current' }, nowMs, appendedAfter } = request
  const snapshot = resolveSnapshot(metadata, selector, nowMs === undefined ? {} : { nowMs })
  const schema = request.schema ?? selectedSchema(metadata, selector, snapshot)
  if (snapshot === undefined) return { snapshot, schema, manifests: [] }
  if (appendedAfter === undefined)
    return { snapshot, schema, manifests: await loadManifests(snapshot, reader) }
  return openAppends(appendsBetween(metadata, appendedAfter, snapshot), { snapshot, schema }, reader)
}

/**
 * As Java's incremental append scan reads it: the manifests that the appends wrote, of them the entries that they
 * added. Merged manifests carry older files along.
 */
async function openAppends(
  appends: readonly Snapshot[],
  version: Pick<ScanSource, 'snapshot' | 'schema'>,
  reader: ManifestReader,
): Promise<ScanSource> {
  const ids = new Set(appends.map(({ snapshotId }) => snapshotId))
  const lists = await mapBounded(appends, manifestsInFlightMax, (append) => loadManifests(append, reader))
  const written = lists
    .flat()
    .filter(({ content, addedSnapshotId }) => content === 'data' && ids.has(addedSnapshotId))
  const manifests = [...new Map(written.map((manifest) => [manifest.manifestPath, manifest])).values()]
  return {
    ...version,
    manifests,
    isAppended: ({ status, snapshotId }) =>
      status === 'added' && snapshotId !== undefined && ids.has(snapshotId),
  }
}

/** Appends after `start`, up to and with `end`, oldest first; other operations in between add nothing new. */
function appendsBetween(metadata: TableMetadata, start: bigint, end: Snapshot): readonly Snapshot[] {
  const appends: Snapshot[] = []
  for (let at: Snapshot | undefined = end; at !== undefined && at.snapshotId !== start;) {
    if (at.summary?.['operation'] === 'append') appends.push(at)
    const parent: bigint | undefined = at.parentSnapshotId
    // The start itself may have expired: it only bounds the range.
    if (parent === start) break
    at = parent === undefined ? undefined : snapshotById(metadata, parent)
    if (at === undefined) throw notAnAncestor(metadata, start, end)
  }
  return appends.toReversed()
}

function notAnAncestor({ location }: TableMetadata, start: bigint, end: Snapshot): FloeError {
  const message = `snapshot ${start} is not an ancestor of snapshot ${end.snapshotId} of the table at ${location}`
  return new FloeError('invalid-input', message, {
    hint: 'start at a snapshot that the end was built on; it may have expired, or belong to another branch',
  })
}
