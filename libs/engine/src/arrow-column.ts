import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from '@duckdb/node-api'
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { stringifyJson } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import { DataType, makeData } from 'apache-arrow'
import type { Data } from 'apache-arrow'

import { arrowType, entryType } from './arrow-type.ts'
import { plainValue } from './row-value.ts'

type Values = readonly DuckDBValue[]

/** One column of a result in Arrow's layout. */
export function arrowColumn(duckdbType: DuckDBType, values: Values): Data {
  const type = arrowType(duckdbType)
  const { length } = values
  if (DataType.isNull(type)) return makeData({ type, length, nullCount: length })
  const base = { length, ...validity(values) }
  if (duckdbType instanceof DuckDBStructType) {
    const children = duckdbType.entryNames.map((name, at) =>
      arrowColumn(
        entryType(duckdbType, at),
        values.map((value) => (value instanceof DuckDBStructValue ? (value.entries[name] ?? null) : null)),
      ),
    )
    return makeData({ ...base, type: type as never, children: children as never })
  }
  if (duckdbType instanceof DuckDBListType || duckdbType instanceof DuckDBArrayType) {
    const items = values.map((value) =>
      value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : [],
    )
    const child = arrowColumn(duckdbType.valueType, items.flat())
    return makeData({ ...base, type: type as never, valueOffsets: offsetsOf(items), child: child as never })
  }
  if (duckdbType instanceof DuckDBMapType) return mapColumn(duckdbType, values, base, type)
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const bytes = values.map(bytesOf)
    const data = { valueOffsets: offsetsOf(bytes), data: Buffer.concat(bytes) }
    return makeData({ ...base, type: type as never, ...data })
  }
  return makeData({ ...base, type: type as never, data: fixedWidth(type, values) as never })
}

type Validity = { readonly nullCount: number; readonly nullBitmap: Uint8Array | undefined }

function validity(values: Values): Validity {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (const [at, value] of values.entries()) {
    if (value === null) nullCount += 1
    else nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7))
  }
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : nullBitmap }
}

function offsetsOf(items: readonly { readonly length: number }[]): Int32Array {
  const offsets = new Int32Array(items.length + 1)
  for (const [at, { length }] of items.entries()) offsets[at + 1] = (offsets[at] ?? 0) + length
  return offsets
}

function mapColumn(
  { keyType, valueType }: DuckDBMapType,
  values: Values,
  base: Validity & { readonly length: number },
  type: DataType,
): Data {
  const maps = values.map((value) => (value instanceof DuckDBMapValue ? value.entries : []))
  const pairs = maps.flat()
  const children = [
    arrowColumn(
      keyType,
      pairs.map(({ key }) => key),
    ),
    arrowColumn(
      valueType,
      pairs.map(({ value }) => value),
    ),
  ]
  const entries = (type.children as { type: DataType }[])[0]?.type
  const child = makeData({
    type: entries as never,
    length: pairs.length,
    nullCount: 0,
    children: children as never,
  })
  return makeData({ ...base, type: type as never, valueOffsets: offsetsOf(maps), child: child as never })
}

const noBytes = Buffer.alloc(0)

function bytesOf(value: DuckDBValue): Buffer {
  if (value === null) return noBytes
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes)
  const plain = plainValue(value)
  return Buffer.from(typeof plain === 'string' ? plain : stringifyJson(plain as JsonValue))
}

/** The typed array that Arrow keeps values of a type in; null is 0. */
function fixedWidth(type: DataType, values: Values): ArrayBufferView {
  if (DataType.isBool(type)) return bits(values)
  if (DataType.isDecimal(type)) return decimals(values)
  const array = new (type.ArrayType as new (
    length: number,
  ) => { [at: number]: number | bigint } & ArrayBufferView)(values.length)
  for (const [at, value] of values.entries()) if (value !== null) array[at] = numberOf(value)
  return array
}

function numberOf(value: DuckDBValue): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof DuckDBDateValue) return value.days
  if (value instanceof DuckDBTimestampSecondsValue) return value.seconds
  if (value instanceof DuckDBTimestampMillisecondsValue) return value.millis
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos
  if (
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampTZValue ||
    value instanceof DuckDBTimeValue
  )
    return value.micros
  throw new TypeError('a value is not of the type of its column')
}

function bits(values: Values): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 8))
  for (const [at, value] of values.entries())
    if (value === true) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7))
  return bytes
}

/** 16 bytes each, two's complement, least significant first. */
function decimals(values: Values): Uint32Array {
  const words = new BigInt64Array(values.length * 2)
  for (const [at, value] of values.entries()) {
    const unscaled =
      value instanceof DuckDBDecimalValue ? value.value : typeof value === 'bigint' ? value : 0n
    words[at * 2] = BigInt.asIntN(64, unscaled)
    words[at * 2 + 1] = BigInt.asIntN(64, unscaled >> 64n)
  }
  return new Uint32Array(words.buffer)
}
