/** Codes of parquet.thrift. */
export const physicalTypes = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
} as const
export type PhysicalType = keyof typeof physicalTypes

export const repetitions = { required: 0, optional: 1, repeated: 2 } as const
export type Repetition = keyof typeof repetitions

export const convertedTypes = {
  utf8: 0,
  map: 1,
  list: 3,
  decimal: 5,
  date: 6,
  timeMicros: 8,
  timestampMicros: 10,
} as const

export const encodings = { plain: 0, rle: 3, rleDictionary: 8 } as const
export const pageTypes = { data: 0, dictionary: 2 } as const

export const codecs = { uncompressed: 0, snappy: 1, gzip: 2, zstd: 6 } as const
export type Codec = keyof typeof codecs

/** First and last four bytes of a file: "PAR1". */
export const magic: Uint8Array = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
