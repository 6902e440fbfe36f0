import {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import type { DuckDBType } from '@duckdb/node-api'
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_,
  Null,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from 'apache-arrow'
import type { DataType } from 'apache-arrow'

const decimalBits = 128

/** Digits that every HUGEINT fits in. */
const hugeIntDigits = 39

const scalars: { readonly [id in DuckDBTypeId]?: () => DataType } = {
  [DuckDBTypeId.SQLNULL]: () => new Null(),
  [DuckDBTypeId.BOOLEAN]: () => new Bool(),
  [DuckDBTypeId.TINYINT]: () => new Int8(),
  [DuckDBTypeId.SMALLINT]: () => new Int16(),
  [DuckDBTypeId.INTEGER]: () => new Int32(),
  [DuckDBTypeId.BIGINT]: () => new Int64(),
  [DuckDBTypeId.UTINYINT]: () => new Uint8(),
  [DuckDBTypeId.USMALLINT]: () => new Uint16(),
  [DuckDBTypeId.UINTEGER]: () => new Uint32(),
  [DuckDBTypeId.UBIGINT]: () => new Uint64(),
  [DuckDBTypeId.HUGEINT]: () => new Decimal(0, hugeIntDigits - 1, decimalBits),
  [DuckDBTypeId.FLOAT]: () => new Float32(),
  [DuckDBTypeId.DOUBLE]: () => new Float64(),
  [DuckDBTypeId.BLOB]: () => new Binary(),
  [DuckDBTypeId.DATE]: () => new DateDay(),
  [DuckDBTypeId.TIME]: () => new TimeMicrosecond(),
  [DuckDBTypeId.TIMESTAMP_S]: () => new TimestampSecond(),
  [DuckDBTypeId.TIMESTAMP_MS]: () => new TimestampMillisecond(),
  [DuckDBTypeId.TIMESTAMP]: () => new TimestampMicrosecond(),
  [DuckDBTypeId.TIMESTAMP_NS]: () => new TimestampNanosecond(),
  [DuckDBTypeId.TIMESTAMP_TZ]: () => new TimestampMicrosecond('UTC'),
}

/** Arrow's type for a column of a result; what Arrow does not know is the text that rows show. */
export function arrowType(type: DuckDBType): DataType {
  if (type instanceof DuckDBDecimalType) return new Decimal(type.scale, type.width, decimalBits)
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType)
    return new List(new Field('item', arrowType(type.valueType), true))
  if (type instanceof DuckDBStructType)
    return new Struct(
      type.entryNames.map((name, at) => new Field(name, arrowType(entryType(type, at)), true)),
    )
  if (type instanceof DuckDBMapType) {
    const entry = [
      new Field('key', arrowType(type.keyType), false),
      new Field('value', arrowType(type.valueType), true),
    ]
    return new Map_(
      new Field('entries', new Struct(entry), false) as Field<Struct<{ key: DataType; value: DataType }>>,
    )
  }
  return scalars[type.typeId]?.() ?? new Utf8()
}

export function entryType({ entryTypes }: DuckDBStructType, at: number): DuckDBType {
  const type = entryTypes[at]
  if (type === undefined) throw new RangeError(`a struct has no entry ${at}`)
  return type
}
