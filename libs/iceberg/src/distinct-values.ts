import type { PrimitiveValue } from './type.ts'

/** The values without repetitions, in order; bytes count as their content. */
export function distinctValues(values: readonly PrimitiveValue[]): readonly PrimitiveValue[] {
  const byContent = new Map(
    values.map((value) => [value instanceof Uint8Array ? String(value) : value, value]),
  )
  return [...byContent.values()]
}
