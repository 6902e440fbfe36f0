import type { SettingFlags } from '@floe/lakehouse'

/** What a process of Floe's is asked to do: the argument of its command line. */
export type LoadRequest = {
  readonly variant: 'drain' | 'load' | NullVariant
  readonly url: string
  readonly table: string
  /** Of the table. */
  readonly rows: number
  readonly workers: number
  /** Of loads: where to, and by which read method. */
  readonly flags?: SettingFlags
  readonly namespace?: string
  readonly method?: 'copy' | 'cursor'
  /** Holds what is written to local files. */
  readonly folder: string
}

export type NullVariant = 'null-encoder' | 'null-store' | 'null-source'

/** What a process prints about its run, as one line of JSON; every peer's prints the same. */
export type LoadFigures = {
  /** As the loader counts them. */
  readonly rows: number
  /** From the first connection to the source until all is committed; engines have started, and catalogs are open. */
  readonly seconds: number
  /** Of the process and its children in that time. */
  readonly loaderCpuSeconds: number
  /** The most that each of them had resident, together. */
  readonly peakMemoryBytes: number
  readonly wireBytes?: number
  /** The metadata file of the table that was committed, of variants whose catalog ends with the process. */
  readonly metadataLocation?: string
}
