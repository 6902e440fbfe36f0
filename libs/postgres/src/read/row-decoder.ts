import { FloeError } from '@floe/iceberg/values'
import type { ColumnBatch } from '@floe/parquet'
import type { ColumnPlan } from '../plan/column-plan.ts'
import { leafPlans } from '../plan/leaf-plan.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { dictionaryHeldBytesMax } from './string-dictionary.ts'
import { decoderSource } from './decoder-source.ts'
import {
  flattens,
  keepsInfinity,
  writeSpecialDate,
  writeSpecialNumeric,
  writeSpecialTime,
  writeSpecialTimestamp,
} from './special-value.ts'
import { decimalShape, writeWideDecimal } from './wide-decimal.ts'

/** Why decoding stopped: the batch is full, the buffer ends within a message, or the next message is no row. */
export type DecodeStop = 'full' | 'partial' | 'other'

export type DecoderLimits = {
  readonly batchRowsMax: number
  readonly batchBytesMax: number
  readonly dictionaryBytesMax?: number
}

type DecodeState = { rowCount: number; stop: DecodeStop }
type DecodeRows = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  rowLimit: number,
  byteLimit: number,
) => number

/** Offsets of strings are 32-bit: what one batch holds, plus one value of at most 1 GB, must stay below 2^31. */
const batchBytesCeiling = 1024 * 1024 * 1024
const initialRows = 4096

/** Turns CopyData messages into column batches. Buffers are kept from batch to batch. */
export class RowDecoder {
  /** Rows of all batches. */
  rows = 0
  private readonly columns: readonly ColumnBuffer[]
  private readonly state: DecodeState = { rowCount: 0, stop: 'partial' }
  private readonly decodeRows: DecodeRows
  private readonly rowsMax: number
  private readonly bytesMax: number
  private rowCapacity = 0
  private batchBytes = 0

  constructor(
    plans: readonly ColumnPlan[],
    { batchRowsMax, batchBytesMax, dictionaryBytesMax = Number.MAX_SAFE_INTEGER }: DecoderLimits,
  ) {
    this.rowsMax = Math.max(1, batchRowsMax)
    // The first text columns get the dictionaries that there is room for.
    let dictionaries = Math.floor(dictionaryBytesMax / dictionaryHeldBytesMax)
    this.columns = plans.flatMap(leafPlans).map((leaf) => {
      const column = new ColumnBuffer(leaf, { rows: this.rowsMax, dictionary: dictionaries > 0 })
      if (column.dictionary !== undefined) dictionaries--
      return column
    })
    this.bytesMax = Math.min(batchBytesMax, batchBytesCeiling)
    this.decodeRows = compileDecoder(plans, this.columns, this.state)
    this.reserveRows(Math.min(initialRows, this.rowsMax))
  }

  get stop(): DecodeStop {
    return this.state.stop
  }

  get heldBytes(): number {
    return this.columns.reduce((sum, column) => sum + column.heldBytes, 0)
  }

  get isEmpty(): boolean {
    return this.state.rowCount === 0
  }

  /**
   * Decodes whole rows of [start, end) and says in `stop` why it ended. The buffer must be readable some bytes past
   * `end` (`wordSlackBytes`).
   * @returns where the first message begins that was not decoded
   */
  decode(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const { state } = this
    let at = start
    for (;;) {
      const byteLimit = at + this.bytesMax - this.batchBytes
      const next = this.decodeRows(bytes, view, at, end, this.rowCapacity, byteLimit)
      this.batchBytes += next - at
      at = next
      const needsRoom =
        state.stop === 'full' && state.rowCount === this.rowCapacity && this.rowCapacity < this.rowsMax
      if (!needsRoom) return at
      this.reserveRows(Math.min(Math.max(this.rowCapacity * 2, this.expectedRows()), this.rowsMax))
    }
  }

  /** The rows since the last `reset`. Its buffers are this decoder's own. */
  toBatch(): ColumnBatch {
    const { rowCount } = this.state
    return { rowCount, columns: this.columns.map((column) => column.toLeaf(rowCount)) }
  }

  reset(): void {
    const { rowCount } = this.state
    for (const column of this.columns) column.reset(rowCount)
    this.rows += rowCount
    this.state.rowCount = 0
    this.batchBytes = 0
  }

  /** Values that a policy changed, as `column: case -> action`. */
  touched(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { name, touched } of this.columns) {
      for (const [what, count] of touched)
        counts[`${name}: ${what}`] = (counts[`${name}: ${what}`] ?? 0) + count
    }
    return counts
  }

  /** Of a full batch, by the rows so far: buffers that grow to it at once are not copied on the way. */
  private expectedRows(): number {
    return Math.ceil((this.state.rowCount * this.bytesMax) / Math.max(1, this.batchBytes))
  }

  private reserveRows(rows: number): void {
    for (const column of this.columns) column.reserve(rows)
    this.rowCapacity = rows
  }
}

function compileDecoder(
  plans: readonly ColumnPlan[],
  columns: readonly ColumnBuffer[],
  state: DecodeState,
): DecodeRows {
  const rareValues = {
    writeSpecialDate,
    writeSpecialTime,
    writeSpecialTimestamp,
    writeSpecialNumeric,
    writeWideDecimal,
    shapes: columns.map(({ decimal }) =>
      decimal === undefined ? undefined : decimalShape(decimal.precision, decimal.scale),
    ),
    nullInRequired,
    flattens,
    keepsInfinity,
    badLength,
    malformedRow,
  }
  // The source is made of numbers alone (`decoderSource`): no name and no value of the database enters it.
  // oxlint-disable-next-line typescript/no-implied-eval
  const factory = new Function('columns', 'state', 'h', decoderSource(plans)) as (
    columns: readonly ColumnBuffer[],
    state: DecodeState,
    h: typeof rareValues,
  ) => DecodeRows
  return factory(columns, state, rareValues)
}

const planAgain = 'the table was altered after the load was planned: plan it again'

function nullInRequired({ name }: ColumnBuffer): never {
  throw new FloeError('corrupt-data', `column ${JSON.stringify(name)} is NOT NULL and holds a null`, {
    hint: planAgain,
  })
}

function badLength({ name }: ColumnBuffer, length: number): never {
  throw new FloeError(
    'corrupt-data',
    `column ${JSON.stringify(name)}: a value of ${length} bytes does not fit its type`,
    {
      hint: planAgain,
    },
  )
}

function malformedRow(): never {
  throw new FloeError('corrupt-data', 'a row on the wire is longer or shorter than its columns', {
    hint: planAgain,
  })
}
