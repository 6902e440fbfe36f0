import type { PrimitiveType } from '@floe/iceberg'
import { convertedTypes } from './file-format.ts'
import type { ThriftWriter } from './thrift-writer.ts'

export type LogicalType =
  | { readonly kind: 'string' | 'map' | 'list' | 'date' | 'uuid' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | {
      readonly kind: 'time' | 'timestamp'
      readonly isAdjustedToUtc: boolean
      readonly unit: 'micros' | 'nanos'
    }
  | { readonly kind: 'geometry'; readonly crs: string | undefined }
  | { readonly kind: 'geography'; readonly crs: string | undefined; readonly algorithm: string | undefined }

const thriftIds = {
  string: 1,
  map: 2,
  list: 3,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  uuid: 14,
  geometry: 17,
  geography: 18,
} as const
const timeUnitIds = { micros: 2, nanos: 3 } as const
const edgeAlgorithms = ['spherical', 'vincenty', 'thomas', 'andoyer', 'karney']

/** Parquet's annotation of an Iceberg type (spec "Appendix A, Parquet"). */
export function logicalTypeOf(type: PrimitiveType): LogicalType | undefined {
  switch (type.kind) {
    case 'string':
    case 'date':
    case 'uuid':
      return { kind: type.kind }
    case 'decimal':
      return { kind: 'decimal', precision: type.precision, scale: type.scale }
    case 'time':
      return { kind: 'time', isAdjustedToUtc: false, unit: 'micros' }
    case 'timestamp':
    case 'timestamptz':
      return { kind: 'timestamp', isAdjustedToUtc: type.kind === 'timestamptz', unit: 'micros' }
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { kind: 'timestamp', isAdjustedToUtc: type.kind === 'timestamptz_ns', unit: 'nanos' }
    case 'geometry':
      return { kind: 'geometry', crs: type.crs }
    case 'geography':
      return { kind: 'geography', crs: type.crs, algorithm: type.algorithm }
    default:
      return undefined
  }
}

/**
 * The older annotation beside the logical type. parquet-format's LogicalTypes.md asks for TIMESTAMP_MICROS and
 * TIME_MICROS on local times too; nanoseconds have none.
 */
export function convertedTypeOf(type: LogicalType): number | undefined {
  switch (type.kind) {
    case 'string':
      return convertedTypes.utf8
    case 'map':
    case 'list':
    case 'date':
    case 'decimal':
      return convertedTypes[type.kind]
    case 'time':
      return type.unit === 'micros' ? convertedTypes.timeMicros : undefined
    case 'timestamp':
      return type.unit === 'micros' ? convertedTypes.timestampMicros : undefined
    case 'uuid':
    case 'geometry':
    case 'geography':
      return undefined
  }
}

/** Writes the LogicalType union as field `fieldId` of the open struct. */
export function writeLogicalType(writer: ThriftWriter, fieldId: number, type: LogicalType): void {
  writer.struct(fieldId, () => writer.struct(thriftIds[type.kind], () => writeParameters(writer, type)))
}

function writeParameters(writer: ThriftWriter, type: LogicalType): void {
  switch (type.kind) {
    case 'decimal':
      writer.i32(1, type.scale)
      writer.i32(2, type.precision)
      return
    case 'time':
    case 'timestamp':
      writer.bool(1, type.isAdjustedToUtc)
      writer.struct(2, () => writer.struct(timeUnitIds[type.unit], () => undefined))
      return
    case 'geometry':
      if (type.crs !== undefined) writer.binary(1, type.crs)
      return
    case 'geography': {
      if (type.crs !== undefined) writer.binary(1, type.crs)
      const algorithm = edgeAlgorithms.indexOf(type.algorithm?.toLowerCase() ?? '')
      if (algorithm >= 0) writer.i32(2, algorithm)
      return
    }
    case 'string':
    case 'map':
    case 'list':
    case 'date':
    case 'uuid':
      return
  }
}
