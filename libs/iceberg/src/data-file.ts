import type { Partition } from './partition-spec.ts'

/** Spec "Data File Fields". Counts and sizes are safe integers; ids are `bigint`. */
export type DataFile = {
  readonly content: 'data' | 'position-deletes' | 'equality-deletes'
  readonly filePath: string
  readonly fileFormat: 'parquet' | 'avro' | 'orc' | 'puffin'
  /** The spec that `partition` was made with: the manifest's, repeated here for readers. */
  readonly specId: number
  readonly partition: Partition
  readonly recordCount: number
  readonly fileSizeInBytes: number
  readonly columnSizes?: ReadonlyMap<number, number>
  readonly valueCounts?: ReadonlyMap<number, number>
  readonly nullValueCounts?: ReadonlyMap<number, number>
  readonly nanValueCounts?: ReadonlyMap<number, number>
  /** Single-value binary form (spec Appendix D) by field id. */
  readonly lowerBounds?: ReadonlyMap<number, Uint8Array>
  readonly upperBounds?: ReadonlyMap<number, Uint8Array>
  readonly keyMetadata?: Uint8Array
  readonly splitOffsets?: readonly number[]
  readonly equalityIds?: readonly number[]
  readonly sortOrderId?: number
  readonly firstRowId?: bigint
  readonly referencedDataFile?: string
  readonly contentOffset?: number
  readonly contentSizeInBytes?: number
}
