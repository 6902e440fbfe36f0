import type { LoadFigures } from './load-request.ts'

/** One run of a variant: a process, and what it leaves behind. */
export type LoadRun = {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Locations of the data files that it has written and committed; undefined when it writes none. */
  written?(figures: LoadFigures): Promise<readonly string[]>
}

/** What a run is given of its own. */
export type RunPlace = {
  /** An empty folder, removed afterwards. */
  readonly folder: string
  /** A name that no other run has. */
  readonly name: string
}

/** The source and the machine, the same for all variants. */
export type LoadSource = {
  readonly url: string
  /** Qualified, of plain words. */
  readonly table: string
  readonly rows: number
  /** For readers in ranges: an integer column without nulls, and its bounds. */
  readonly key: string
  readonly keyMin: number
  readonly keyMax: number
  readonly workers: number
}

export type LoadVariant = (place: RunPlace) => LoadRun
