import {
  bindExpression,
  explainFileMismatch,
  explainManifestMismatch,
  explainPartitionMismatch,
  FloeError,
  mapPredicates,
  residualFor,
} from '@floe/iceberg'
import type { Expression, ManifestFile, PartitionSpec, Schema, TableMetadata } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'

import { mapBounded } from './bounded-concurrency.ts'
import { DeleteIndex, filePathFieldId } from './delete-index.ts'
import { loadLiveEntries, loadManifests } from './load-manifest.ts'
import type { LiveEntry, ManifestReader } from './load-manifest.ts'
import { ManifestCache } from './manifest-cache.ts'
import { PruningLedger } from './pruning-ledger.ts'
import type { ScanPlan, ScanTask } from './scan-plan.ts'
import { resolveSnapshot, selectedSchema } from './snapshot-selector.ts'
import type { SnapshotSelector } from './snapshot-selector.ts'

/** Manifests read at a time. */
export const manifestsInFlightMax = 8

export type ScanRequest = {
  readonly metadata: TableMetadata
  /** The current version when absent. */
  readonly selector?: SnapshotSelector
  /** Unbound or bound; everything when absent. */
  readonly filter?: Expression
  /** Planning stops when this many rows are sure, if there is neither a filter nor a delete. */
  readonly rowsWanted?: number
  /**
   * Columns whose metrics the tasks' files shall have, beside those of the filter; all when absent. Manifests are read
   * several times as fast without the others.
   */
  readonly metricColumns?: ReadonlySet<number>
  /** See `ResolveOptions`. */
  readonly nowMs?: number
}

export type ScanComponents = { readonly store: ObjectStore; readonly cache?: ManifestCache }

/**
 * Decides which files a read of one version of a table needs, from the manifest list down, without touching data.
 * Whatever cannot be proven irrelevant is kept (spec "Scan Planning").
 * @throws FloeError not-found for unknown versions and missing files, invalid-input for filters that do not bind
 */
export async function planScan(request: ScanRequest, components: ScanComponents): Promise<ScanPlan> {
  const { metadata, selector = { kind: 'current' } } = request
  const { nowMs } = request
  const snapshot = resolveSnapshot(metadata, selector, nowMs === undefined ? {} : { nowMs })
  const schema = selectedSchema(metadata, selector, snapshot)
  const filter = bindExpression(request.filter ?? { kind: 'true' }, schema)
  const ledger = new PruningLedger(schema)
  if (snapshot === undefined) return { tasks: [], report: ledger.report(0, snapshot), snapshot, schema }

  const { metricColumns } = request
  const reader = {
    store: components.store,
    cache: components.cache ?? new ManifestCache(),
    ...(metricColumns === undefined ? {} : { metricColumns: withFilterColumns(metricColumns, filter) }),
  }
  const manifests = await loadManifests(snapshot, reader)
  const scan = new Scan({ filter, schema, specs: specsOf(metadata), ledger, reader })
  const tasks = await scan.plan(manifests, request.rowsWanted)
  return { tasks, report: ledger.report(manifests.length, snapshot), snapshot, schema }
}

/** Deletes by position carry bounds of the paths that they name, which the delete index looks at. */
function withFilterColumns(columns: ReadonlySet<number>, filter: Expression): ReadonlySet<number> {
  const all = new Set([...columns, filePathFieldId])
  mapPredicates(filter, (predicate) => {
    if (predicate.reference.kind === 'id') all.add(predicate.reference.fieldId)
    return predicate
  })
  return all
}

function specsOf({ partitionSpecs }: TableMetadata): ReadonlyMap<number, PartitionSpec> {
  return new Map(partitionSpecs.map((spec) => [spec.specId, spec]))
}

type ScanSettings = {
  readonly filter: Expression
  readonly schema: Schema
  readonly specs: ReadonlyMap<number, PartitionSpec>
  readonly ledger: PruningLedger
  readonly reader: ManifestReader
}

class Scan {
  readonly #settings: ScanSettings

  constructor(settings: ScanSettings) {
    this.#settings = settings
  }

  async plan(
    manifests: readonly ManifestFile[],
    rowsWanted: number | undefined,
  ): Promise<readonly ScanTask[]> {
    const ofContent = (content: ManifestFile['content']): readonly ManifestFile[] =>
      manifests.filter((manifest) => manifest.content === content && mayHaveLiveFiles(manifest))
    const deleteManifests = ofContent('deletes')
    const anyRows = deleteManifests.length === 0 && this.#settings.filter.kind === 'true'
    const data = await this.#keptEntries(ofContent('data'), anyRows ? rowsWanted : undefined)
    const deletes = new DeleteIndex(await this.#deletesFor(data, deleteManifests), this.#settings.specs)
    return data.map((entry) => this.#taskOf(entry, deletes))
  }

  async #keptEntries(
    manifests: readonly ManifestFile[],
    rowsWanted: number | undefined,
  ): Promise<readonly LiveEntry[]> {
    const matching = manifests.filter((manifest) => this.#manifestMatches(manifest))
    if (rowsWanted !== undefined) return this.#firstRows(matching, rowsWanted)
    const kept = await mapBounded(matching, manifestsInFlightMax, (manifest) => this.#keptOf(manifest))
    return kept.flat()
  }

  /** One manifest after the other, until the files hold enough rows. */
  async #firstRows(manifests: readonly ManifestFile[], rowsWanted: number): Promise<readonly LiveEntry[]> {
    const { ledger } = this.#settings
    const kept: LiveEntry[] = []
    let rows = 0
    for (const manifest of manifests) {
      if (rows >= rowsWanted) {
        ledger.leaveUnread(manifest)
        continue
      }
      ledger.scanManifest()
      for (const entry of await loadLiveEntries(manifest, this.#settings.reader)) {
        ledger.seeFile(entry.dataFile)
        if (rows >= rowsWanted) continue
        rows += entry.dataFile.recordCount
        ledger.keepFile(entry.dataFile)
        kept.push(entry)
      }
    }
    return kept
  }

  #manifestMatches(manifest: ManifestFile): boolean {
    const { filter, schema, ledger } = this.#settings
    const reason =
      filter.kind === 'false'
        ? filter
        : explainManifestMismatch(filter, this.#specOf(manifest.partitionSpecId), schema, manifest.partitions)
    if (reason !== undefined) ledger.dropManifest(manifest, reason)
    return reason === undefined
  }

  async #keptOf(manifest: ManifestFile): Promise<readonly LiveEntry[]> {
    const { filter, schema, ledger, reader } = this.#settings
    const spec = this.#specOf(manifest.partitionSpecId)
    ledger.scanManifest()
    const entries = await loadLiveEntries(manifest, reader)
    return entries.filter(({ dataFile }) => {
      ledger.seeFile(dataFile)
      const partitionReason = explainPartitionMismatch(filter, spec, schema, dataFile.partition)
      if (partitionReason !== undefined) ledger.dropFile('file-by-partition', partitionReason)
      if (partitionReason !== undefined) return false
      const metricsReason = explainFileMismatch(filter, schema, dataFile)
      if (metricsReason !== undefined) ledger.dropFile('file-by-metrics', metricsReason)
      if (metricsReason !== undefined) return false
      ledger.keepFile(dataFile)
      return true
    })
  }

  /** Delete entries that may concern the kept files: deletes older than all of them cannot. */
  async #deletesFor(
    data: readonly LiveEntry[],
    manifests: readonly ManifestFile[],
  ): Promise<readonly LiveEntry[]> {
    const { ledger, reader } = this.#settings
    const oldest = data.reduce<bigint | undefined>(
      (least, { sequenceNumber }) => (least === undefined || sequenceNumber < least ? sequenceNumber : least),
      undefined,
    )
    if (oldest === undefined) return []
    const needed = manifests.filter(
      (manifest) => manifest.sequenceNumber >= oldest && this.#manifestMatches(manifest),
    )
    const entries = await mapBounded(needed, manifestsInFlightMax, (manifest) => {
      ledger.scanManifest()
      return loadLiveEntries(manifest, reader)
    })
    return entries.flat()
  }

  #taskOf(entry: LiveEntry, deletes: DeleteIndex): ScanTask {
    const { filter, schema } = this.#settings
    const { dataFile, sequenceNumber } = entry
    const { firstRowId } = dataFile
    return {
      dataFile,
      sequenceNumber,
      deletes: deletes.deletesOf(entry),
      residual: residualFor(filter, this.#specOf(dataFile.specId), schema, dataFile.partition),
      ...(firstRowId === undefined ? {} : { firstRowId }),
    }
  }

  #specOf(specId: number): PartitionSpec {
    const spec = this.#settings.specs.get(specId)
    if (spec !== undefined) return spec
    throw new FloeError(
      'corrupt-data',
      `a manifest names the partition spec ${specId}, which the table does not have`,
    )
  }
}

/** Counts of v1 writers may be missing: then anything may be inside. */
function mayHaveLiveFiles({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount !== 0 || existingFilesCount !== 0
}
