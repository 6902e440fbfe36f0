import { encodeManifest, manifestFileFor, toFloeError } from '@floe/iceberg'
import type { ManifestEntry, ManifestFile, ManifestHeader, TableMetadata } from '@floe/iceberg'
import { taskAt } from '@floe/compute'
import type { Pool } from '@floe/compute'
import { metadataFileLocation } from './data-location.ts'
import type { EncodeManifestInput } from './encode-manifest.task.ts'
import type { StagedFiles } from './staged-files.ts'
import type { WriteSettings } from './write-settings.ts'

const encodeTask = taskAt<EncodeManifestInput, Uint8Array>(
  new URL('./encode-manifest.task.ts', import.meta.url),
)

/** Below this many entries a thread's start-up costs more than encoding in place. */
const entriesForWorkersMin = 20_000
/** What an entry of a table with c columns takes in a manifest, before compression: measured at 16 and 100 columns. */
const entryBytes = (columns: number): number => 200 + columns * 60

/** The sequence number is the commit attempt's to give: see `numberManifests`. */
const unassigned = 0n

export type StageManifestsComponents = {
  /** Knows what was written, should the commit fail. */
  readonly files: StagedFiles
  readonly uuid: () => string
  readonly pool?: Pool
}

/**
 * Writes entries of one partition spec as manifests of about the target size. Durable but invisible: nothing refers
 * to them until a manifest list does.
 */
export async function stageManifests(
  metadata: Pick<TableMetadata, 'location'>,
  header: ManifestHeader,
  entries: readonly ManifestEntry[],
  snapshotId: bigint,
  settings: Pick<WriteSettings, 'metadataPath' | 'manifestTargetBytes'>,
  { files, uuid, pool }: StageManifestsComponents,
): Promise<readonly ManifestFile[]> {
  const groups = groupEntries(entries, header.schema.fields.length, settings.manifestTargetBytes)
  const inWorkers = pool !== undefined && groups.length > 1 && entries.length >= entriesForWorkersMin
  const encode = (group: readonly ManifestEntry[]): Promise<Uint8Array> | Uint8Array =>
    inWorkers ? pool.run(encodeTask, { header, entries: group }) : encodeManifest(header, group)
  const staged = await Promise.allSettled(
    groups.map(async (group) => {
      const bytes = await encode(group)
      const location = metadataFileLocation(metadata.location, settings, `${uuid()}-m0.avro`)
      await files.put(location, bytes)
      return manifestFileFor(location, bytes.length, header, group, {
        snapshotId,
        sequenceNumber: unassigned,
      })
    }),
  )
  // All have settled before one failure is thrown: a put still under way would outlive the clean-up.
  return staged.map((result) => {
    if (result.status === 'rejected') throw toFloeError(result.reason)
    return result.value
  })
}

/** Manifests as one commit attempt lists them. What a commit adds or deletes has that commit's sequence number. */
export function numberManifests(
  manifests: readonly ManifestFile[],
  sequenceNumber: bigint,
): readonly ManifestFile[] {
  return manifests.map((manifest) => ({ ...manifest, sequenceNumber, minSequenceNumber: sequenceNumber }))
}

function groupEntries(
  entries: readonly ManifestEntry[],
  columns: number,
  targetBytes: number,
): readonly (readonly ManifestEntry[])[] {
  const perManifestMax = Math.max(1, Math.floor(targetBytes / entryBytes(columns)))
  const groups: ManifestEntry[][] = []
  for (let start = 0; start < entries.length; start += perManifestMax) {
    groups.push(entries.slice(start, start + perManifestMax))
  }
  return groups
}
