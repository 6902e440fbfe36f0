import type { SeededRandom } from '@floe/testing'
import type { S3Call, S3Fault, S3FaultProxy, S3Operation } from './s3-fault-proxy.ts'

/** How an S3 server behaves through one load. */
export type Weather =
  | { readonly kind: 'calm' }
  /** Every request may meet a fault. */
  | { readonly kind: 'showers'; readonly rate: number }
  /** From one request of an operation on, each fails in the same way: more than retries can mend. */
  | {
      readonly kind: 'storm'
      readonly operation: S3Operation
      readonly callsBefore: number
      readonly fault: S3Fault
    }

const showerRateMax = 0.5
const delayMsMax = 400
/** Of the operations that write; a load makes more of some. */
const callsBeforeMax = 3
/** A client sends a request five times: what cleans up gets through. */
const cleanFaultsInARowMax = 3

const slowDown: S3Fault = { kind: 'refuse', status: 503, code: 'SlowDown' }
const internalError: S3Fault = { kind: 'refuse', status: 500, code: 'InternalError' }
const writing: readonly S3Operation[] = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
]
const cleaning: ReadonlySet<S3Operation> = new Set([
  'AbortMultipartUpload',
  'ListMultipartUploads',
  'DeleteObjects',
])

export function drawWeather(random: SeededRandom): Weather {
  const draw = random()
  if (draw < 0.1) return { kind: 'calm' }
  if (draw < 0.55) return { kind: 'showers', rate: random() * showerRateMax }
  const operation = pick(writing, random)
  const fault = pick(faultsOf(operation, random), random)
  const callsBefore = Math.floor(random() * callsBeforeMax)
  return fault.kind === 'delay' ? { kind: 'calm' } : { kind: 'storm', operation, callsBefore, fault }
}

/** The faults that may befall an operation. */
function faultsOf(operation: S3Operation, random: SeededRandom): readonly S3Fault[] {
  const common: readonly S3Fault[] = [
    slowDown,
    internalError,
    { kind: 'lose-answer' },
    { kind: 'delay', ms: Math.floor(random() * delayMsMax) },
  ]
  switch (operation) {
    case 'PutObject':
    case 'UploadPart':
      return [...common, { kind: 'cut-request' }]
    case 'CompleteMultipartUpload':
      // S3 sends the head of its answer before it has put the parts together: it fails with status 200.
      return [...common, { kind: 'refuse', status: 200, code: 'InternalError' }, denied]
    case 'GetObject':
    case 'ListObjectsV2':
    case 'ListMultipartUploads':
      return [...common, { kind: 'cut-answer' }]
    case 'CreateMultipartUpload':
    case 'HeadObject':
    case 'DeleteObjects':
    case 'AbortMultipartUpload':
      return common
  }
}

const denied: S3Fault = { kind: 'deny', status: 500, code: 'InternalError' }

export function weatherFaults(weather: Weather, random: SeededRandom): S3FaultProxy['fault'] {
  switch (weather.kind) {
    case 'calm':
      return () => undefined
    case 'showers':
      return showers(weather.rate, random)
    case 'storm': {
      let calls = 0
      return ({ operation }) => {
        if (operation !== weather.operation) return undefined
        return calls++ < weather.callsBefore ? undefined : weather.fault
      }
    }
  }
}

function showers(rate: number, random: SeededRandom): S3FaultProxy['fault'] {
  const inARow = new Map<string, number>()
  return ({ operation, key }: S3Call) => {
    const place = `${operation} ${key}`
    const before = inARow.get(place) ?? 0
    const isSpared = cleaning.has(operation) && before >= cleanFaultsInARowMax
    const fault = random() < rate && !isSpared ? pick(faultsOf(operation, random), random) : undefined
    inARow.set(place, fault === undefined || fault.kind === 'delay' ? 0 : before + 1)
    return fault
  }
}

function pick<T>(items: readonly T[], random: SeededRandom): T {
  return items[Math.floor(random() * items.length)] as T
}
