import { errorToData } from '@floe/iceberg'
import { joinLocation } from '@floe/storage'
import type { ObjectStore } from '@floe/storage'
import type { Warehouse } from './warehouse-settings.ts'

/** Each part that the work depends on; `error` says why it does not answer. */
export type Readiness = readonly { readonly part: string; readonly error?: string }[]

/** Asks every part at once for as little as it can be asked. `signal` ends the waiting for those that are silent. */
export async function checkParts(
  parts: Readonly<Record<string, () => Promise<unknown>>>,
  signal: AbortSignal,
): Promise<Readiness> {
  return Promise.all(
    Object.entries(parts).map(async ([part, ask]) => {
      try {
        await Promise.race([ask(), whenAborted(signal)])
        return { part }
      } catch (error) {
        // The code, and no more: whoever asks need not be anybody we know, and messages name hosts and folders.
        return { part, error: signal.aborted ? 'no answer in time' : errorToData(error).code }
      }
    }),
  )
}

/** A list of one name that nothing has: unlike a read of it, it fails when there is no such bucket. */
export async function checkWarehouse(
  store: ObjectStore,
  { location }: Warehouse,
  signal: AbortSignal,
): Promise<void> {
  const name = joinLocation(location, '.floe-ready')
  if (!location.startsWith('s3')) await store.head(name, { signal })
  else for await (const _object of store.list(name, { signal })) return
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
