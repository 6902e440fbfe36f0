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
import type { ObjectReader } from '@floe/storage'

import { mapBounded } from './bounded-concurrency.ts'
import { DeleteIndex, filePathFieldId } from './delete-index.ts'
import { loadLiveEntries } from './load-manifest.ts'
import type { LiveEntry, ManifestReader } from './load-manifest.ts'
import { entriesElsewhereMin } from './manifest-bytes.ts'
import type { DecodeElsewhere } from './manifest-bytes.ts'
import { ManifestCache } from './manifest-cache.ts'
import { PruningLedger } from './pruning-ledger.ts'
import type { ScanPlan, ScanTask } from './scan-plan.ts'
import { manifestsInFlightMax, openSource } from './scan-source.ts'
import type { ScanSource, SourceRequest } from './scan-source.ts'

export type ScanRequest = SourceRequest & {
  /** Unbound or bound; everything when absent. */
  readonly filter?: Expression
  /** Whether the filter's names are (default true). */
  readonly caseSensitive?: boolean
  /** Planning stops when this many rows are sure, if there is neither a filter nor a delete. */
  readonly rowsWanted?: number
  /**
   * Columns whose metrics the tasks' files shall have, beside those of the filter; all when absent. Manifests are read
   * several times as fast without the others.
   */
  readonly metricColumns?: ReadonlySet<number>
  /** Leaves all data manifests out but these, by their position in `selectManifests`. */
  readonly positions?: ReadonlySet<number>
}

export type ScanComponents = {
  readonly store: ObjectReader
  readonly cache?: ManifestCache
  /** Decodes the manifests of large tables; all are decoded in place when absent. */
  readonly decodeElsewhere?: DecodeElsewhere
  /** Ends planning between two manifests. */
  readonly signal?: AbortSignal
}

/**
 * Decides which files a read of one version of a table needs, from the manifest list down, without touching data.
 * Whatever cannot be proven irrelevant is kept (spec "Scan Planning").
 * @throws FloeError not-found for unknown versions and missing files, invalid-input for filters that do not bind,
 * cancelled
 */
export async function planScan(request: ScanRequest, components: ScanComponents): Promise<ScanPlan> {
  const { source, scan, ledger } = await openScan(request, components)
  const { snapshot, schema, manifests } = source
  const { positions } = request
  const chosen =
    positions === undefined
      ? manifests
      : manifests.filter((manifest, at) => isDelete(manifest) || positions.has(at))
  const tasks = await scan.plan(chosen, request.rowsWanted)
  const summed = request.appendedAfter === undefined && positions === undefined ? snapshot : undefined
  return { tasks, report: ledger.report(chosen.length, summed), snapshot, schema }
}

/** A data manifest that a scan has to read. */
export type SelectedManifest = {
  readonly position: number
  /** Live files and rows in it; `undefined` when a v1 writer left the counts out. */
  readonly files: number | undefined
  readonly rows: number | undefined
}

export type ManifestSelection = {
  readonly manifests: readonly SelectedManifest[]
  /** Manifests that positions count over. */
  readonly manifestsTotal: number
  readonly hasDeletes: boolean
  /** What the filter binds to, and the bound filter. */
  readonly schema: Schema
  readonly filter: Expression
}

/**
 * The first step of `planScan` alone: which data manifests a scan has to read, so that a large one can be planned in
 * pieces. Positions hold for the same version as long as it is there.
 * @throws FloeError as `planScan`
 */
export async function selectManifests(
  request: ScanRequest,
  components: ScanComponents,
): Promise<ManifestSelection> {
  const { source, scan, filter } = await openScan(request, components)
  const manifests = source.manifests.flatMap((manifest, position) => {
    if (isDelete(manifest) || !scan.mayHold(manifest)) return []
    return [
      {
        position,
        files: sum(manifest.addedFilesCount, manifest.existingFilesCount),
        rows: sum(manifest.addedRowsCount, manifest.existingRowsCount),
      },
    ]
  })
  const hasDeletes = source.manifests.some((manifest) => isDelete(manifest) && mayHaveLiveFiles(manifest))
  return { manifests, manifestsTotal: source.manifests.length, hasDeletes, schema: source.schema, filter }
}

function sum(added: number | undefined, existing: number | undefined): number | undefined {
  return added === undefined || existing === undefined ? undefined : added + existing
}

function isDelete({ content }: ManifestFile): boolean {
  return content === 'deletes'
}

type OpenScan = {
  readonly source: ScanSource
  readonly scan: Scan
  readonly ledger: PruningLedger
  readonly filter: Expression
}

async function openScan(request: ScanRequest, components: ScanComponents): Promise<OpenScan> {
  const lists = { store: components.store, cache: components.cache ?? new ManifestCache() }
  const source = await openSource(request, lists)
  const { schema, isAppended } = source
  const filter = bindExpression(request.filter ?? { kind: 'true' }, schema, {
    caseSensitive: request.caseSensitive ?? true,
  })
  const { metricColumns } = request
  const reader =
    metricColumns === undefined
      ? lists
      : { ...lists, metricColumns: withFilterColumns(metricColumns, filter) }
  const ledger = new PruningLedger(schema)
  const { signal, decodeElsewhere } = components
  const scan = new Scan({
    filter,
    schema,
    specs: specsOf(request.metadata),
    ledger,
    reader,
    ...(isAppended === undefined ? {} : { isAppended }),
    ...(signal === undefined ? {} : { signal }),
    ...(decodeElsewhere === undefined ? {} : { decodeElsewhere }),
  })
  return { source, scan, ledger, filter }
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
  readonly isAppended?: (entry: LiveEntry) => boolean
  readonly signal?: AbortSignal
  readonly decodeElsewhere?: DecodeElsewhere
}

class Scan {
  readonly #settings: ScanSettings

  constructor(settings: ScanSettings) {
    this.#settings = settings
  }

  /** Whether a manifest may have files for this scan. */
  mayHold(manifest: ManifestFile): boolean {
    return mayHaveLiveFiles(manifest) && this.#manifestMatches(manifest)
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
    const kept = await mapBounded(matching, manifestsInFlightMax, (manifest) =>
      this.#keptOf(manifest, this.#readerOf(matching)),
    )
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
      for (const entry of await this.#liveEntries(manifest, this.#settings.reader)) {
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

  /** One manifest, or few entries, are decoded sooner in place. */
  #readerOf(manifests: readonly ManifestFile[]): ManifestReader {
    const { reader, decodeElsewhere } = this.#settings
    const isLarge = manifests.length > 1 && countEntries(manifests) >= entriesElsewhereMin
    return isLarge && decodeElsewhere !== undefined ? { ...reader, decodeElsewhere } : reader
  }

  async #keptOf(manifest: ManifestFile, reader: ManifestReader): Promise<readonly LiveEntry[]> {
    const { filter, schema, ledger } = this.#settings
    const spec = this.#specOf(manifest.partitionSpecId)
    ledger.scanManifest()
    const entries = await this.#liveEntries(manifest, reader)
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
    const { ledger } = this.#settings
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
      return this.#liveEntries(manifest, this.#readerOf(needed))
    })
    return entries.flat()
  }

  async #liveEntries(manifest: ManifestFile, reader: ManifestReader): Promise<readonly LiveEntry[]> {
    const { isAppended, signal } = this.#settings
    if (signal?.aborted === true) throw new FloeError('cancelled', 'planning of a scan was cancelled')
    const entries = await loadLiveEntries(manifest, reader)
    return isAppended === undefined ? entries : entries.filter(isAppended)
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

function countEntries(manifests: readonly ManifestFile[]): number {
  return manifests.reduce(
    (total, manifest) =>
      total +
      (manifest.addedFilesCount ?? 0) +
      (manifest.existingFilesCount ?? 0) +
      (manifest.deletedFilesCount ?? 0),
    0,
  )
}

/** Counts of v1 writers may be missing: then anything may be inside. */
function mayHaveLiveFiles({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount !== 0 || existingFilesCount !== 0
}
