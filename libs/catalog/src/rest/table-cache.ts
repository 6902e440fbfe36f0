import type { LoadedTable, LoadOptions, TableIdentifier } from '../catalog.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { credentialsEndMs } from './storage-credentials.ts'

type Known = { readonly etag: string; readonly table: LoadedTable }

/** Vended credentials that end sooner are asked for anew: what was loaded shall be readable for a while. */
const credentialsLeftMsMin = 5 * 60_000

/** Loaded tables by name and snapshot mode, each with the tag by which the catalog says that it still is so. */
export class TableCache {
  readonly #known: BoundedCache<string, Known>
  readonly #clock: { now(): number }

  constructor(entriesMax: number, clock: { now(): number }) {
    this.#known = new BoundedCache(entriesMax)
    this.#clock = clock
  }

  find(identifier: TableIdentifier, mode: LoadOptions['snapshots']): Known | undefined {
    const known = this.#known.get(keyOf(identifier, mode))
    // A 304 brings no credentials: those at hand have to last.
    const isLasting =
      known !== undefined && credentialsEndMs(known.table) - this.#clock.now() >= credentialsLeftMsMin
    return isLasting ? known : undefined
  }

  keep(table: LoadedTable, mode: LoadOptions['snapshots'], etag: string | undefined): void {
    const key = keyOf(table.identifier, mode)
    if (etag === undefined) this.#known.delete(key)
    else this.#known.set(key, { etag, table })
  }
}

function keyOf({ namespace, name }: TableIdentifier, mode: LoadOptions['snapshots'] = 'all'): string {
  return JSON.stringify([mode, name, ...namespace])
}
