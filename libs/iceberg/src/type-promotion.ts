import { typesEqual, type PrimitiveType } from './type.ts'

/**
 * Whether a column may change from one primitive type to another (spec "Schema Evolution"): int to long, float to double,
 * wider decimals; from v3 also date to timestamps without zone, and unknown to anything.
 */
export function canPromote(from: PrimitiveType, to: PrimitiveType, formatVersion: 1 | 2 | 3): boolean {
  if (typesEqual(from, to)) return true
  switch (from.kind) {
    case 'int':
      return to.kind === 'long'
    case 'float':
      return to.kind === 'double'
    case 'decimal':
      return to.kind === 'decimal' && to.scale === from.scale && to.precision >= from.precision
    case 'date':
      return formatVersion >= 3 && (to.kind === 'timestamp' || to.kind === 'timestamp_ns')
    case 'unknown':
      return formatVersion >= 3
    default:
      return false
  }
}
