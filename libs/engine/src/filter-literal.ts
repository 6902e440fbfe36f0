import { FloeError, singleValueFromJson } from '@floe/iceberg'
import type { JsonValue, PrimitiveType, PrimitiveValue } from '@floe/iceberg'

import { isNode, numberText, text } from './sql-tree.ts'
import type { TreeNode, TreeValue } from './sql-tree.ts'

/**
 * The constant of a filter that DuckDB printed, as a value of the column's type: `5`, `1.50`, `'x'`,
 * `'2024-01-01 00:00:00'::TIMESTAMP`. `undefined` for NULL, for what is no constant, and for what does not fit the type.
 */
export function literalOf(node: TreeNode, type: PrimitiveType): PrimitiveValue | undefined {
  const json = jsonLiteral(node, type)
  return json === undefined ? undefined : valueOf(json, type)
}

function valueOf(json: JsonValue, type: PrimitiveType): PrimitiveValue | undefined {
  try {
    const value = singleValueFromJson(type, json)
    // DuckDB prints a FLOAT as the shortest decimal that reads back as the same 32 bits.
    return type.kind === 'float' ? Math.fround(value as number) : value
  } catch (error) {
    if (error instanceof FloeError) return undefined
    throw error
  }
}

function jsonLiteral(node: TreeNode, type: PrimitiveType): JsonValue | undefined {
  if (node['type'] === 'OPERATOR_CAST' && isNode(node['child']))
    return castLiteral(constantText(node['child']), type)
  const value = node['type'] === 'VALUE_CONSTANT' && isNode(node['value']) ? node['value'] : undefined
  if (value === undefined || value['is_null'] !== false) return undefined
  const kind = isNode(value['type']) ? text(value['type']['id']) : ''
  if (kind === 'VARCHAR') return type.kind === 'string' ? text(value['value']) : undefined
  const digits = decimalText(value)
  return digits === undefined ? undefined : numericLiteral(digits, type)
}

function numericLiteral(digits: string, type: PrimitiveType): JsonValue | undefined {
  switch (type.kind) {
    case 'int':
    case 'long':
      return /^-?\d+$/.test(digits) ? safeInteger(BigInt(digits)) : undefined
    case 'float':
    case 'double':
      return Number(digits)
    case 'decimal':
      return withScale(digits, type.scale)
    default:
      return undefined
  }
}

function safeInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** `digits` with exactly `scale` digits behind the point; `undefined` when that would change the value. */
function withScale(digits: string, scale: number): string | undefined {
  const match = /^(-?\d+)(?:\.(\d*))?$/.exec(digits)
  if (match === null) return undefined
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  if (fraction.length > scale) return undefined
  return scale === 0 ? `${match[1]}` : `${match[1]}.${fraction.padEnd(scale, '0')}`
}

/** The number of a constant in decimal digits: integers, DECIMAL (unscaled plus scale) and DOUBLE. */
function decimalText(value: TreeNode): string | undefined {
  const type = isNode(value['type']) ? value['type'] : {}
  const info = isNode(type['type_info']) ? type['type_info'] : {}
  const number = integerText(value['value'])
  if (type['id'] !== 'DECIMAL' || number === undefined) return number
  const scale = Number(numberText(info['scale']) ?? 0)
  if (scale === 0) return number
  const negative = number.startsWith('-')
  const digits = (negative ? number.slice(1) : number).padStart(scale + 1, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** HUGEINT stands in the tree as two halves. */
function integerText(value: TreeValue | undefined): string | undefined {
  if (!isNode(value)) return numberText(value)
  const [upper, lower] = [numberText(value['upper']), numberText(value['lower'])]
  if (upper === undefined || lower === undefined) return undefined
  return String((BigInt(upper) << 64n) + BigInt(lower))
}

function constantText(node: TreeNode): string | undefined {
  const value = isNode(node['value']) ? node['value'] : {}
  return typeof value['value'] === 'string' ? value['value'] : undefined
}

function castLiteral(shown: string | undefined, type: PrimitiveType): JsonValue | undefined {
  if (shown === undefined) return undefined
  switch (type.kind) {
    case 'boolean':
      return shown === 't' || shown === 'true' ? true : shown === 'f' || shown === 'false' ? false : undefined
    case 'float':
    case 'double':
      return floatingNames[shown] ?? undefined
    case 'date':
    case 'time':
    case 'uuid':
      return shown
    case 'timestamp':
    case 'timestamp_ns':
      return shown.replace(' ', 'T')
    case 'timestamptz':
      return shown.endsWith('+00') ? `${shown.slice(0, -3).replace(' ', 'T')}+00:00` : undefined
    case 'binary':
    case 'fixed':
      return blobHex(shown)
    default:
      return undefined
  }
}

const floatingNames: Readonly<Record<string, string>> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }

/** DuckDB prints printable ASCII as itself and every other byte as `\xNN`. */
function blobHex(shown: string): string | undefined {
  let hex = ''
  for (let at = 0; at < shown.length; at++) {
    const escaped = /^\\x([0-9A-Fa-f]{2})/.exec(shown.slice(at, at + 4))?.[1]
    const code = shown.charCodeAt(at)
    if (escaped === undefined && (code < 0x20 || code > 0x7e)) return undefined
    hex += escaped ?? code.toString(16).padStart(2, '0')
    if (escaped !== undefined) at += 3
  }
  return hex.toLowerCase()
}

/** A value as DuckDB casts it to text; `undefined` when the type cannot hold it. */
export function valueOfText(shown: string, type: PrimitiveType): PrimitiveValue | undefined {
  const json = type.kind === 'string' ? shown : (numericLiteral(shown, type) ?? castLiteral(shown, type))
  return json === undefined ? undefined : valueOf(json, type)
}
