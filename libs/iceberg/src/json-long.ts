import { FloeError } from './error.ts'
import { isPresent } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'

const longMin = -(2n ** 63n)
const longMax = 2n ** 63n - 1n

/** A 64-bit member such as a snapshot id, exactly. Throws `invalid-input`. */
export function readLong(object: JsonObject, key: string, where: string): bigint {
  return toLong(object[key], `${where}: "${key}"`)
}

/** As `readLong`; `undefined` when the member is absent or null. */
export function readOptionalLong(object: JsonObject, key: string, where: string): bigint | undefined {
  return isPresent(object[key]) ? readLong(object, key, where) : undefined
}

export function toLong(value: JsonValue | undefined, where: string): bigint {
  if (typeof value === 'bigint' && value >= longMin && value <= longMax) return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw new FloeError('invalid-input', `${where} must be a 64-bit integer`)
}

/** The form that `parseJson` gives: `bigint` only outside the safe range. */
export function longToJson(value: bigint): JsonValue {
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}
