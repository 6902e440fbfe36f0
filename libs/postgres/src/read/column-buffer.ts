import type { PrimitiveType } from '@floe/iceberg'
import type { LeafColumn, LeafValues } from '@floe/parquet'
import type { LeafPlan } from '../plan/leaf-plan.ts'
import type { ResolvedPolicy } from '../plan/type-policy.ts'
import { int32PrecisionMax, int64PrecisionMax } from '../plan/wire-type.ts'
import { StringDictionary, wordSlackBytes } from './string-dictionary.ts'

type Layout = Exclude<LeafValues['layout'], 'dictionary'>

/** Values up to this are copied word by word; above it a native copy is faster than its call. */
const wordCopyBytesMax = 64
const initialValues = 4096
const initialDataBytes = 16_384

/**
 * One leaf column of the batch being decoded: buffers that grow and are kept for the next batch. Value `i` of a flat
 * column is at `row - nullCount`. Fields are public because the generated decoder writes them.
 */
export class ColumnBuffer {
  readonly plan: LeafPlan
  readonly name: string
  readonly layout: Layout
  readonly policy: ResolvedPolicy
  /** Bytes of a `fixed` value. */
  readonly width: number
  /** Definition level of a value that is there. */
  readonly maxDefinition: number
  readonly decimal: { readonly precision: number; readonly scale: number } | undefined
  /** int32 and int64 values; `fixed` values of 16 bytes; ids of the dictionary. */
  int32s: Int32Array = new Int32Array(0)
  float32s: Float32Array = new Float32Array(0)
  float64s: Float64Array = new Float64Array(0)
  /** Booleans, `fixed` values, and the bytes of strings. */
  data: Uint8Array = new Uint8Array(0)
  dataLength = 0
  offsets: Int32Array = new Int32Array(0)
  /** Set while strings of the batch are kept as ids. */
  dictionary: StringDictionary | undefined
  /** Nulls of a flat column. */
  nullCount = 0
  /** Values and level entries of a column with parts. */
  valueCount = 0
  levelCount = 0
  /** Values changed by a policy, by `case -> action`. */
  readonly touched: Map<string, number> = new Map()
  private view: DataView = new DataView(this.data.buffer)
  private readonly wantsDictionary: boolean
  private dictionaryFailed = false
  private capacity = 0
  private definitions: Uint8Array = new Uint8Array(0)
  private repetitions: Uint8Array = new Uint8Array(0)
  private belowMaximum = 0

  /** `rows` of a batch at most; without `dictionary` strings are plain bytes from the first. */
  constructor(plan: LeafPlan, { rows, dictionary }: { readonly rows: number; readonly dictionary: boolean }) {
    const { type, wire } = plan
    this.plan = plan
    this.name = plan.name
    this.policy = plan.policy
    this.layout = layoutOf(type)
    this.decimal = type.kind === 'decimal' ? type : undefined
    this.width = type.kind === 'decimal' ? decimalWidth(type.precision) : type.kind === 'uuid' ? 16 : 0
    this.maxDefinition = plan.definitionMax
    this.wantsDictionary =
      dictionary && type.kind === 'string' && (wire.kind === 'text' || wire.kind === 'jsonb')
    if (this.wantsDictionary) this.dictionary = new StringDictionary()
    this.reserve(Math.min(initialValues, rows))
  }

  /** Makes room for `count` values and, in a flat column, as many levels. */
  reserve(count: number): void {
    if (count <= this.capacity) return
    const capacity = Math.max(count, Math.min(this.capacity * 2, 2 ** 28))
    this.capacity = capacity
    const { layout } = this
    if (layout === 'int32' || layout === 'bytes') this.int32s = grownInt32(this.int32s, capacity)
    if (layout === 'int64') this.int32s = grownInt32(this.int32s, capacity * 2)
    if (layout === 'float') this.float32s = grownFloat32(this.float32s, capacity)
    if (layout === 'double') this.float64s = grownFloat64(this.float64s, capacity)
    if (layout === 'boolean') this.data = grownBytes(this.data, capacity)
    if (layout === 'fixed') this.growFixed(capacity)
    if (layout === 'bytes') this.offsets = grownInt32(this.offsets, capacity + 1)
    if (this.definitions.length > 0 && this.plan.isFlat) this.growFlatLevels()
  }

  addNull(row: number): void {
    if (this.definitions.length < this.capacity) this.growFlatLevels()
    this.definitions[row] = 0
    this.nullCount++
  }

  /** One entry of a column with parts: a value, or what is null or empty in its place. */
  addLevel(definition: number, repetition: number): void {
    const at = this.levelCount
    if (at === this.repetitions.length) {
      const length = Math.max(initialValues, at * 2)
      this.definitions = grownBytes(this.definitions, length)
      this.repetitions = grownBytes(this.repetitions, length)
    }
    this.definitions[at] = definition
    this.repetitions[at] = repetition
    if (definition !== this.maxDefinition) this.belowMaximum++
    this.levelCount = at + 1
  }

  /** Value `index` becomes the bytes [at, at + length) of the receive buffer, which ends in word slack. */
  addBytes(bytes: Uint8Array, source: DataView, at: number, length: number, index: number): void {
    const { dictionary } = this
    if (dictionary !== undefined) {
      // Codes and flags of one letter are found without a hash.
      const single = length === 1 ? (dictionary.singles[bytes[at] as number] as number) : 0
      const id = single > 0 ? single - 1 : dictionary.intern(source, at, length, index)
      if (id >= 0) {
        this.int32s[index] = id
        return
      }
      this.leaveDictionary(dictionary, index)
    }
    const start = this.dataLength
    const end = start + length
    if (end + wordSlackBytes > this.data.length) this.growData(end + wordSlackBytes)
    if (length <= wordCopyBytesMax) {
      const { view } = this
      for (let i = 0; i < length; i += 8) view.setBigInt64(start + i, source.getBigInt64(at + i, true), true)
    } else {
      this.data.set(bytes.subarray(at, at + length), start)
    }
    this.dataLength = end
    this.offsets[index + 1] = end
  }

  get heldBytes(): number {
    const { int32s, float32s, float64s, data, offsets, definitions, repetitions, dictionary } = this
    // The words of fixed values are a view of their bytes.
    const words = int32s.buffer === data.buffer ? 0 : int32s.byteLength
    const values = words + float32s.byteLength + float64s.byteLength + data.byteLength + offsets.byteLength
    return values + definitions.byteLength + repetitions.byteLength + (dictionary?.heldBytes ?? 0)
  }

  touch(what: string): void {
    this.touched.set(what, (this.touched.get(what) ?? 0) + 1)
  }

  toLeaf(rowCount: number): LeafColumn {
    const { fieldId, isFlat, isRepeated } = this.plan
    const { definitions, repetitions } = this
    const isFull = isFlat ? this.nullCount === 0 : this.belowMaximum === 0
    return {
      fieldId,
      levelCount: isFlat ? rowCount : this.levelCount,
      valueCount: isFlat ? rowCount - this.nullCount : this.valueCount,
      definitionLevels: isFull ? undefined : definitions,
      repetitionLevels: isRepeated ? repetitions : undefined,
      values: this.toValues(),
    }
  }

  /** Empties the batch; buffers stay. Levels go back to all-present, which is why values never write one. */
  reset(rowCount: number): void {
    if (this.plan.isFlat && this.nullCount > 0) this.definitions.fill(1, 0, rowCount)
    this.nullCount = 0
    this.valueCount = 0
    this.levelCount = 0
    this.belowMaximum = 0
    this.dataLength = 0
    if (this.dictionary !== undefined) this.dictionary.reset()
    else if (this.wantsDictionary && !this.dictionaryFailed) this.dictionary = new StringDictionary()
  }

  private toValues(): LeafValues {
    const { layout, data, offsets, int32s, dictionary } = this
    if (layout === 'boolean') return { layout, bytes: data }
    if (layout === 'int32') return { layout, values: int32s }
    if (layout === 'int64') return { layout, words: int32s }
    if (layout === 'float') return { layout, values: this.float32s }
    if (layout === 'double') return { layout, values: this.float64s }
    if (layout === 'fixed') return { layout, width: this.width, data }
    if (dictionary === undefined) return { layout, offsets, data }
    const { count, offsets: entryOffsets, data: entryData } = dictionary
    return {
      layout: 'dictionary',
      ids: int32s,
      dictionaryCount: count,
      offsets: entryOffsets,
      data: entryData,
    }
  }

  /** Writes the values so far as plain bytes. High cardinality seldom ends, so later batches do not try again. */
  private leaveDictionary({ offsets, data }: StringDictionary, count: number): void {
    let end = 0
    for (let i = 0; i < count; i++) {
      const id = this.int32s[i] as number
      const from = offsets[id] as number
      const to = offsets[id + 1] as number
      if (end + to - from + wordSlackBytes > this.data.length) this.growData(end + to - from + wordSlackBytes)
      this.data.set(data.subarray(from, to), end)
      end += to - from
      this.offsets[i + 1] = end
    }
    this.dataLength = end
    this.dictionary = undefined
    this.dictionaryFailed = true
  }

  private growData(bytes: number): void {
    this.data = grownBytes(
      this.data,
      Math.max(
        bytes,
        Math.min(initialDataBytes, this.capacity * 8),
        Math.min(this.data.length * 2, 2 ** 31 + wordSlackBytes),
      ),
    )
    this.view = new DataView(this.data.buffer)
  }

  /** Whole words, since a uuid is written as four. */
  private growFixed(capacity: number): void {
    this.data = grownBytes(this.data, Math.ceil((capacity * this.width) / 4) * 4)
    this.int32s = new Int32Array(this.data.buffer)
  }

  private growFlatLevels(): void {
    const grown = new Uint8Array(this.capacity).fill(1)
    grown.set(this.definitions)
    this.definitions = grown
  }
}

function layoutOf(type: PrimitiveType): Layout {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
      return type.kind
    case 'int':
    case 'date':
      return 'int32'
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return 'int64'
    case 'decimal':
      return type.precision <= int32PrecisionMax
        ? 'int32'
        : type.precision <= int64PrecisionMax
          ? 'int64'
          : 'fixed'
    case 'uuid':
      return 'fixed'
    default:
      return 'bytes'
  }
}

/** Bytes of two's complement that hold every unscaled value of the precision. */
function decimalWidth(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8)
}

function grownInt32(array: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length)
  grown.set(array)
  return grown
}

function grownFloat32(array: Float32Array, length: number): Float32Array {
  const grown = new Float32Array(length)
  grown.set(array)
  return grown
}

function grownFloat64(array: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(length)
  grown.set(array)
  return grown
}

function grownBytes(array: Uint8Array, length: number): Uint8Array {
  const grown = new Uint8Array(length)
  grown.set(array)
  return grown
}
