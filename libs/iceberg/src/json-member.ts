import { FloeError } from './error.ts'
import type { JsonObject, JsonValue } from './json.ts'

/** Readers of JSON members: each names `where` it stands and what it wanted in an `invalid-input` error. */

export function readObject(value: JsonValue | undefined, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wanted('an object', where)
  return value as JsonObject
}

export function readArray(value: JsonValue | undefined, where: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw wanted('an array', where)
  return value as readonly JsonValue[]
}

export function readString(object: JsonObject, key: string, where: string): string {
  const value = object[key]
  if (typeof value !== 'string') throw wanted('a string', `${where}: "${key}"`)
  return value
}

/** An integer in the safe range: counts, field ids, versions. */
export function readInteger(object: JsonObject, key: string, where: string): number {
  const value = object[key]
  if (!Number.isSafeInteger(value)) throw wanted('an integer', `${where}: "${key}"`)
  return value as number
}

export function readBoolean(object: JsonObject, key: string, where: string): boolean {
  const value = object[key]
  if (typeof value !== 'boolean') throw wanted('true or false', `${where}: "${key}"`)
  return value
}

export function readIntegers(value: JsonValue | undefined, where: string): readonly number[] {
  const items = readArray(value, where)
  if (!items.every((item) => Number.isSafeInteger(item))) throw wanted('an array of integers', where)
  return items as readonly number[]
}

/** Absent and null are the same in Iceberg's JSON. */
export function isPresent(value: JsonValue | undefined): value is Exclude<JsonValue, null> {
  return value !== undefined && value !== null
}

/** `{ extra }` with the members that are not in `known`, or nothing when there are none. */
export function extraMembers(
  object: JsonObject,
  known: ReadonlySet<string>,
): { readonly extra?: JsonObject } {
  const rest = Object.entries(object).filter(([key]) => !known.has(key))
  return rest.length === 0 ? {} : { extra: Object.fromEntries(rest) }
}

function wanted(what: string, where: string): FloeError {
  return new FloeError('invalid-input', `${where} must be ${what}`, {
    hint: 'see the JSON forms in the Iceberg spec, Appendix C',
  })
}
