import type { Transform } from './transform.ts'
import type { PrimitiveType, SimpleKind } from './type.ts'

const timestamps: ReadonlySet<string> = new Set<SimpleKind>([
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
])
const identityRefused: ReadonlySet<string> = new Set(['geometry', 'geography', 'variant', 'unknown'])
const bucketSources: ReadonlySet<string> = new Set([
  ...timestamps,
  'int',
  'long',
  'decimal',
  'date',
  'time',
  'string',
  'uuid',
  'fixed',
  'binary',
])
const truncateSources: ReadonlySet<string> = new Set(['int', 'long', 'decimal', 'string', 'binary'])

/** Whether a column of `type` may be the source of `transform` (spec "Partition Transforms", source types). */
export function canTransform(transform: Transform, type: PrimitiveType): boolean {
  switch (transform.kind) {
    case 'identity':
      return !identityRefused.has(type.kind)
    case 'bucket':
      return bucketSources.has(type.kind)
    case 'truncate':
      return truncateSources.has(type.kind)
    case 'year':
    case 'month':
    case 'day':
      return type.kind === 'date' || timestamps.has(type.kind)
    case 'hour':
      return timestamps.has(type.kind)
    case 'void':
      return true
    case 'unknown':
      return false
  }
}

/** Type of the transformed values. `day` gives date, as its Avro schema says; an unknown transform gives string. */
export function transformResultType(transform: Transform, type: PrimitiveType): PrimitiveType {
  switch (transform.kind) {
    case 'identity':
    case 'truncate':
    case 'void':
      return type
    case 'bucket':
    case 'year':
    case 'month':
    case 'hour':
      return { kind: 'int' }
    case 'day':
      return { kind: 'date' }
    case 'unknown':
      return { kind: 'string' }
  }
}
