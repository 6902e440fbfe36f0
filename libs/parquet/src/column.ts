/**
 * One leaf column of a batch, in the layout that Parquet stores: nulls take no slot in `values`, levels say where they
 * are. A flat column without nulls has no levels at all.
 */
export type LeafColumn = {
  /** Iceberg field id of the leaf. */
  readonly fieldId: number
  /** Entries including nulls and empty lists; equals the batch's rows for a flat column. */
  readonly levelCount: number
  /** Non-null values in `values`. */
  readonly valueCount: number
  /** One byte per entry; `undefined` when every entry has the maximum definition level. */
  readonly definitionLevels: Uint8Array | undefined
  /** One byte per entry; `undefined` for a column that is not inside a list or map. */
  readonly repetitionLevels: Uint8Array | undefined
  readonly values: LeafValues
}

/** Buffers may be longer than needed: counts rule. */
export type LeafValues =
  /** One byte per value, 0 or 1. */
  | { readonly layout: 'boolean'; readonly bytes: Uint8Array }
  /** int, date, and decimals of precision <= 9 (unscaled). */
  | { readonly layout: 'int32'; readonly values: Int32Array }
  /** long, time, timestamps, and decimals of precision <= 18: value i is the little-endian pair (words[2i] low, words[2i+1] high). */
  | { readonly layout: 'int64'; readonly words: Int32Array }
  | { readonly layout: 'float'; readonly values: Float32Array }
  | { readonly layout: 'double'; readonly values: Float64Array }
  /** string, binary, json: value i is data[offsets[i], offsets[i + 1]). */
  | { readonly layout: 'bytes'; readonly offsets: Int32Array; readonly data: Uint8Array }
  /** uuid (16), fixed(n), decimals of precision > 18 (big-endian two's complement in the spec's minimum width). */
  | { readonly layout: 'fixed'; readonly width: number; readonly data: Uint8Array }
  /** Strings that the decoder already hashed: value i is dictionary entry ids[i], entries as in `bytes`. */
  | {
      readonly layout: 'dictionary'
      readonly ids: Int32Array
      readonly dictionaryCount: number
      readonly offsets: Int32Array
      readonly data: Uint8Array
    }

/** Columns of the same rows, one per leaf of the schema, in the schema's depth-first order. */
export type ColumnBatch = { readonly rowCount: number; readonly columns: readonly LeafColumn[] }
