import { FloeError } from './error.ts'
import { parseExpression } from './expression-json.ts'
import { alwaysFalse, alwaysTrue, and, not, or, type Expression } from './expression.ts'
import { readObject } from './json-member.ts'
import type { JsonValue } from './json.ts'

export type ScanFilter = {
  /** True of every row that the filter of the client is true of, and maybe of more. */
  readonly expression: Expression
  /** Whether it is the same filter: nothing had to be left out. */
  readonly isExact: boolean
}

/**
 * The filter of a scan, in either spelling, for planning: where it calls functions, applies transforms or compares two
 * columns it is widened, as the client filters the rows in any case.
 * @throws FloeError invalid-input for what is no expression
 */
export function parseScanFilter(json: JsonValue): ScanFilter {
  return parseWidened(json, alwaysTrue)
}

/** @param unknown  what stands for a predicate that cannot be planned: true, or false inside of a `not` */
function parseWidened(json: JsonValue, unknown: Expression): ScanFilter {
  if (typeof json !== 'object' || json === null) return { expression: parseExpression(json), isExact: true }
  const object = readObject(json, 'expression')
  switch (object['type']) {
    case 'and':
    case 'or': {
      const left = parseWidened(object['left'] ?? null, unknown)
      const right = parseWidened(object['right'] ?? null, unknown)
      const combine = object['type'] === 'and' ? and : or
      return {
        expression: combine(left.expression, right.expression),
        isExact: left.isExact && right.isExact,
      }
    }
    case 'not': {
      const child = parseWidened(object['child'] ?? null, unknown.kind === 'true' ? alwaysFalse : alwaysTrue)
      return { expression: not(child.expression), isExact: child.isExact }
    }
    default:
      return parseLeaf(json, unknown)
  }
}

function parseLeaf(json: JsonValue, unknown: Expression): ScanFilter {
  try {
    return { expression: parseExpression(json), isExact: true }
  } catch (error) {
    if (error instanceof FloeError && error.code === 'unsupported')
      return { expression: unknown, isExact: false }
    throw error
  }
}
