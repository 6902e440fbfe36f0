import { FloeError } from './error.ts'

/** JSON without loss: integers outside the safe range are `bigint`. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [key: string]: JsonValue }

/** Nesting that documents may have; what walks them recursively stays far from the end of the stack. */
export const jsonDepthMax = 1000

type ReviverContext = { readonly source?: string }
type NativeJson = {
  parse(text: string, reviver: (key: string, value: unknown, context: ReviverContext) => unknown): JsonValue
  rawJSON(text: string): unknown
}
// ECMAScript "JSON.parse source text access": in Node 24, not in TypeScript's library yet.
const nativeJson = JSON as unknown as NativeJson

/** Any integer outside the safe range has at least this many digits in a row. */
const longDigits = /\d{16}/
const integer = /^-?\d+$/

/**
 * Parses JSON; integers outside the safe range become `bigint`, every other number stays a `number`.
 * @throws FloeError invalid-input when it is not JSON or nests deeper than `jsonDepthMax`
 */
export function parseJson(text: string): JsonValue {
  checkDepth(text)
  try {
    // A reviver costs several times a plain parse, and most documents have no long number.
    return longDigits.test(text) ? nativeJson.parse(text, reviveInteger) : (JSON.parse(text) as JsonValue)
  } catch (error) {
    throw new FloeError('invalid-input', `not valid JSON (${text.length} characters)`, {
      hint: 'check that the document is complete and is JSON',
      cause: error,
    })
  }
}

function reviveInteger(_key: string, value: unknown, context: ReviverContext): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const { source } = context
  return source !== undefined && integer.test(source) ? BigInt(source) : value
}

function checkDepth(text: string): void {
  if (text.length <= jsonDepthMax) return
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = stringEnd(text, at)
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > jsonDepthMax) throw tooDeep()
    } else if (code === 0x5d || code === 0x7d) depth--
  }
}

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
  }
  return text.length
}

function tooDeep(cause?: unknown): FloeError {
  return new FloeError('invalid-input', `JSON nests deeper than ${jsonDepthMax} levels`, {
    hint: 'flatten the document',
    ...(cause === undefined ? {} : { cause }),
  })
}

/**
 * Writes JSON that `parseJson` reads back to the same value: `bigint` exactly, floats by value, -0 with its sign.
 * @param space  spaces of indentation; one line when absent
 * @throws FloeError invalid-input for NaN, infinities, and values that nest too deep
 */
export function stringifyJson(value: JsonValue, space?: number): string {
  try {
    return JSON.stringify(value, replaceNumber, space)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(error)
    throw error
  }
}

function replaceNumber(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return nativeJson.rawJSON(value.toString())
  if (typeof value !== 'number' || (Number.isSafeInteger(value) && value !== 0)) return value
  if (!Number.isFinite(value)) {
    throw new FloeError('invalid-input', `JSON cannot hold a number that is not finite (member "${key}")`)
  }
  if (Object.is(value, -0)) return nativeJson.rawJSON('-0')
  // A double beyond the safe range must not read back as an exact integer.
  const text = String(value)
  return integer.test(text) && value !== 0 ? nativeJson.rawJSON(`${text}.0`) : value
}

/** A floating-point number that is never written like an integer: `1.0`. What is not finite is text, as Jackson writes it. */
export function floatToJson(value: number): JsonValue {
  if (!Number.isFinite(value)) return String(value)
  const text = Object.is(value, -0) ? '-0' : String(value)
  return integer.test(text) ? (nativeJson.rawJSON(`${text}.0`) as JsonValue) : value
}

/** Whether two JSON values are the same, whatever the order of object members. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item: JsonValue, at) => jsonEqual(item, b[at] as JsonValue))
  }
  const [left, right] = [a as JsonObject, b as JsonObject]
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEqual(left[key], right[key]))
  )
}
