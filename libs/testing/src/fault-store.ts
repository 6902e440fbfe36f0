import { FloeError } from '@floe/iceberg'
import type { ObjectStore, Upload } from '@floe/storage'
import type { SeededRandom } from './seeded-random.ts'

export type StoreOperation =
  | 'get'
  | 'head'
  | 'put'
  | 'putIfAbsent'
  | 'openUpload'
  | 'write'
  | 'complete'
  | 'list'
  | 'delete'
  | 'discardUploads'

export type FaultPlan = {
  /** Same seed and same order of calls, same faults. */
  readonly random: SeededRandom
  /** Share of the calls that fail with `unavailable`, 0 to 1. */
  readonly errorRate?: number
  /** Share of the failing calls that take effect before they fail, as a lost answer does. Default 0. */
  readonly lostAnswerRate?: number
  readonly latency?: { readonly maxMs: number; readonly sleep: (ms: number) => Promise<void> }
  /** All when absent. */
  readonly operations?: readonly StoreOperation[]
  readonly locations?: (location: string) => boolean
}

/** An `ObjectStore` that fails and waits as planned. Faults are retryable `unavailable` errors. */
export function faultStore(inner: ObjectStore, plan: FaultPlan): ObjectStore {
  const guarded = guard(plan)
  return {
    get: (location, options) => guarded('get', location, () => inner.get(location, options)),
    head: (location, options) => guarded('head', location, () => inner.head(location, options)),
    put: (location, bytes, options) => guarded('put', location, () => inner.put(location, bytes, options)),
    putIfAbsent: (location, bytes, options) =>
      guarded('putIfAbsent', location, () => inner.putIfAbsent(location, bytes, options)),
    openUpload: async (location, options) => {
      let upload: Upload | undefined
      try {
        upload = await guarded(
          'openUpload',
          location,
          async () => (upload = await inner.openUpload(location, options)),
        )
        return faultUpload(upload, location, guarded)
      } catch (error) {
        // An upload whose answer was lost has no owner who could end it, and would hold its file open.
        await upload?.abort()
        throw error
      }
    },
    async *list(prefix, options) {
      await guarded('list', prefix, () => Promise.resolve())
      yield* inner.list(prefix, options)
    },
    delete: (locations, options) =>
      guarded('delete', locations[0] ?? '', () => inner.delete(locations, options)),
    discardUploads: (locations, options) =>
      guarded('discardUploads', locations[0] ?? '', () => inner.discardUploads(locations, options)),
  }
}

type Guarded = <Result>(
  operation: StoreOperation,
  location: string,
  call: () => Promise<Result>,
) => Promise<Result>

function guard(plan: FaultPlan): Guarded {
  const { random, errorRate = 0, lostAnswerRate = 0, latency, operations, locations } = plan
  return async (operation, location, call) => {
    const concerned = (operations?.includes(operation) ?? true) && (locations?.(location) ?? true)
    if (!concerned) return call()
    const fails = random() < errorRate
    const answerLost = fails && random() < lostAnswerRate
    if (latency !== undefined) await latency.sleep(random() * latency.maxMs)
    if (fails && !answerLost) throw plannedFault(operation, location)
    const result = await call()
    if (answerLost) throw plannedFault(operation, location)
    return result
  }
}

/** `abort` never fails: its contract says so. */
function faultUpload(inner: Upload, location: string, guarded: Guarded): Upload {
  return {
    write: (bytes) => guarded('write', location, () => inner.write(bytes)),
    complete: () => guarded('complete', location, () => inner.complete()),
    abort: () => inner.abort(),
  }
}

function plannedFault(operation: StoreOperation, location: string): FloeError {
  return new FloeError('unavailable', `${operation} of ${location} failed as planned`, {
    hint: 'the fault plan of this test asked for it: retry',
    retryable: true,
  })
}
