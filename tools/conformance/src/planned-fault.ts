import { seededRandom } from '@floe/testing'
import type { FaultPlan, SeededRandom } from '@floe/testing'

/** What befalls a store: single calls fail, some after they took effect; or every call does from some point on. */
export type PlannedFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'faults'; readonly seed: number; readonly errorRate: number }
  | { readonly kind: 'crash'; readonly callsBefore: number }

/** Half of the calls that fail have taken effect, as when the answer is lost. */
const lostAnswerRate = 0.5
const errorRatesMax = 0.3
/** A load of a few rows makes about so many calls. */
const callsMax = 14

export function drawFault(random: SeededRandom): PlannedFault {
  const draw = random()
  if (draw < 0.3) return { kind: 'none' }
  if (draw < 0.65) {
    return { kind: 'faults', seed: Math.floor(random() * 2 ** 31), errorRate: random() * errorRatesMax }
  }
  return { kind: 'crash', callsBefore: Math.floor(random() * callsMax) }
}

export function faultPlan(fault: PlannedFault): FaultPlan {
  switch (fault.kind) {
    case 'none':
      return { random: () => 1, errorRate: 0 }
    case 'faults':
      return { random: seededRandom(fault.seed), errorRate: fault.errorRate, lostAnswerRate }
    case 'crash': {
      // A process that is dead removes nothing either.
      let calls = 0
      return { random: () => (calls++ < fault.callsBefore ? 1 : 0), errorRate: 0.5 }
    }
  }
}
