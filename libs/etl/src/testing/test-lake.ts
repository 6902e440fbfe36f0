import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { openSqlCatalog } from '@floe/catalog/sql'
import type { Pool } from '@floe/compute'
import { openObjectStore } from '@floe/storage'
import type { StoreSettings } from '@floe/storage'
import type { LoadRunComponents } from '../load.ts'

/** What a load needs beside its request: a catalog in a file, a store, the clock and chance of this machine. */
export type TestLake = AsyncDisposable & { readonly components: LoadRunComponents }

/** `database` is the file of the catalog; the pool stays its owner's. */
export async function openTestLake(
  database: string,
  pool: Pool,
  { warehouse, storeSettings }: { readonly warehouse: string; readonly storeSettings: StoreSettings },
): Promise<TestLake> {
  const clock = { now: () => new Date().getTime() }
  const store = openObjectStore(storeSettings)
  const settings = {
    database: { kind: 'sqlite' as const, path: database },
    warehouse,
    clock,
    uuid: randomUUID,
  }
  const catalog = await openSqlCatalog(settings, { store })
  const components: LoadRunComponents = {
    catalog,
    store,
    storeSettings: () => store.currentSettings(),
    pool,
    clock,
    uuid: randomUUID,
    newSnapshotId: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
    sleep: async (ms) => {
      await delay(ms)
    },
    cpuUsage: () => process.cpuUsage().user,
  }
  return {
    components,
    [Symbol.asyncDispose]: async () => {
      await catalog.close()
      await store.close()
    },
  }
}
