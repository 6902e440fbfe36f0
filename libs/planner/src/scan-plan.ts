import type { DataFile, Expression, Schema, Snapshot } from '@floe/iceberg'

/** A delete file with its data sequence number: which rows it may delete depends on it. */
export type DeleteFile = DataFile & { readonly dataSequenceNumber: bigint }

/** One data file to read, with everything that a reader needs to know about it. */
export type ScanTask = {
  readonly dataFile: DataFile
  /** Data sequence number of the file (spec "Sequence Numbers"); 0n in v1. */
  readonly sequenceNumber: bigint
  /** Delete files that may hold deletes of this file's rows (spec "Scan Planning"). */
  readonly deletes: readonly DeleteFile[]
  /** What is left of the filter inside of this file's partition, bound to field ids. */
  readonly residual: Expression
  /** v3 row lineage: id of the file's first row, inherited from its manifest when the entry has none. */
  readonly firstRowId?: bigint
}

export type DropReason = {
  readonly kind: 'manifest' | 'file-by-partition' | 'file-by-metrics'
  /** The conjunct of the filter that ruled them out, in words of the schema. */
  readonly predicate: string
  /** Manifests, or files. */
  readonly count: number
}

/** What was read and what was left out, and why. Counts are of data files unless they say manifests. */
export type PruningReport = {
  /** Data and delete manifests of the snapshot. */
  readonly manifestsTotal: number
  readonly manifestsScanned: number
  readonly filesTotal: number
  readonly filesKept: number
  /** `undefined` when a writer left the totals out of the snapshot's summary and not every manifest was read. */
  readonly bytesTotal?: number
  readonly bytesKept: number
  readonly dropped: readonly DropReason[]
}

export type ScanPlan = {
  readonly tasks: readonly ScanTask[]
  readonly report: PruningReport
  /** `undefined` for a table without data. */
  readonly snapshot: Snapshot | undefined
  /** Schema that the rows show. */
  readonly schema: Schema
}
