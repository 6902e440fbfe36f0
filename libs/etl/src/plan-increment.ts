import { FloeError } from '@floe/iceberg'
import {
  cursorRange,
  divideCursorRange,
  findCursorColumn,
  findSystemIdentifier,
  hasUnorderedRows,
  readCursorBounds,
  readCursorSteps,
  rowsOutsideOrder,
  rowsWrittenSince,
  xidDistanceMax,
} from '@floe/postgres'
import type {
  ChunkOptions,
  CursorBounds,
  CursorColumn,
  SourceConnection,
  SourceSnapshot,
  SourceTable,
} from '@floe/postgres'
import type { ColumnPosition, SourcePosition, XminPosition } from './source-position.ts'

export type CursorRequest = {
  /** A column that grows with time, or `xmin` for the versions of rows. */
  readonly column: string
  /** How far below the newest value rows may still come: a whole number, or an interval such as `10 minutes`. */
  readonly lag?: string
  /** False: rows are only added, also where the table has a key to replace them by. Default true. */
  readonly merge?: boolean
  /** Rows of one commit at most, about: each is final, and a load that is killed goes on behind the last one. */
  readonly commitEveryRows?: number
}

/**
 * How rows that were read before are kept from coming twice: `merge` replaces rows by their key, `key-order` reads
 * only keys above the greatest, `held-back` reads values from the last one on and leaves the newest for the next load.
 */
export type IncrementRule = 'merge' | 'key-order' | 'held-back'

/** What one commit reads, and where the table stands afterwards. */
type IncrementStep = {
  readonly select: Pick<ChunkOptions, 'filterOf' | 'ranges'>
  readonly position: SourcePosition
}

export type Increment = {
  readonly rule: IncrementRule
  /** The table stands nowhere yet: no row of an earlier load is in it. */
  readonly isFirst: boolean
  /** The position has to be written also when there are no new rows. */
  readonly movesAnyway: boolean
  readonly steps: readonly IncrementStep[]
}

export type IncrementRequest = {
  readonly cursor: CursorRequest
  readonly source: SourceTable
  /** Columns by which rows are replaced; empty when the table has no key to do it by. */
  readonly key: readonly string[]
  readonly workers: number
  readonly where?: string
  /** Where the table stands; absent for a table that is made or replaced. */
  readonly earlier: SourcePosition | undefined
}

/** Ranges of an index that each worker gets, so that none waits for the last. */
const rangesPerWorker = 4

/**
 * Decides which rows an incremental load reads. Runs on the snapshot of the load.
 * @throws invalid-input when cursor and table do not fit, unsupported when rows could be lost or come twice
 */
export function planIncrement(
  request: IncrementRequest,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
): Promise<Increment> {
  return request.cursor.column === 'xmin'
    ? planByXmin(request, snapshot, connection)
    : planByColumn(request, connection)
}

async function planByXmin(
  { cursor, source, key, where, earlier }: IncrementRequest,
  snapshot: SourceSnapshot,
  connection: SourceConnection,
): Promise<Increment> {
  assertVersioned(source, cursor, key)
  const system = await findSystemIdentifier(connection)
  const last = earlier === undefined ? undefined : checkXmin(earlier, source, snapshot, system)
  const position: XminPosition = {
    kind: 'xmin',
    xid: snapshot.xmin,
    tableOid: source.oid,
    leafOids: source.leaves.map(({ oid }) => oid),
    ...(system === undefined ? {} : { system }),
  }
  const known = new Set(last?.leafOids)
  const filterOf: ChunkOptions['filterOf'] = ({ oid }) =>
    last !== undefined && known.has(oid) ? both(rowsWrittenSince(last.xid, snapshot), where) : where
  // Before ids of old rows can be mistaken for new ones.
  const movesAnyway = last !== undefined && snapshot.xmax - last.xid > xidDistanceMax / 16n
  return {
    rule: 'merge',
    isFirst: last === undefined,
    movesAnyway,
    steps: [{ select: { filterOf }, position }],
  }
}

function assertVersioned(source: SourceTable, cursor: CursorRequest, key: readonly string[]): void {
  const isStored = source.leaves.every(({ kind }) => kind === 'table')
  if (!isStored || source.leaves.length === 0) {
    throw new FloeError('unsupported', `the rows of a ${source.kind} have no xmin`, {
      hint: 'give --cursor a column that grows with time',
    })
  }
  if (key.length === 0 || cursor.merge === false) {
    throw new FloeError('unsupported', `--cursor xmin needs a primary key to replace rows by`, {
      hint: 'row versions around the last snapshot are read again: add a primary key, or give --cursor a column that grows with time',
    })
  }
  if (cursor.lag !== undefined || cursor.commitEveryRows !== undefined) {
    throw new FloeError('invalid-input', '--lag and --commit-every are for cursor columns, not for xmin', {
      hint: 'leave them out: xmin loses no late rows, and its rows have no order to divide them by',
    })
  }
}

function checkXmin(
  earlier: SourcePosition,
  source: SourceTable,
  { xmax }: SourceSnapshot,
  system: string | undefined,
): XminPosition {
  if (earlier.kind !== 'xmin') throw otherCursor(earlier.column)
  const why =
    earlier.tableOid !== source.oid
      ? 'the source table was dropped and made again'
      : earlier.system !== undefined && system !== undefined && earlier.system !== system
        ? 'the source is another server, whose transaction ids mean something else'
        : earlier.xid > xmax
          ? 'the transaction ids of the source have gone back, as after a restore'
          : xmax - earlier.xid > xidDistanceMax
            ? 'more than 2^31 transactions have begun: their ids in rows mean something else now'
            : undefined
  if (why === undefined) return earlier
  throw new FloeError('invalid-input', `since the last load ${why}`, {
    hint: 'load once with --mode replace --cursor xmin',
  })
}

async function planByColumn(request: IncrementRequest, connection: SourceConnection): Promise<Increment> {
  const { source, where, earlier, cursor: wanted } = request
  const cursor = await findCursorColumn(connection, source, wanted.column)
  const after = earlier === undefined ? undefined : valueOf(earlier, cursor)
  const rule = ruleOf(request, cursor)
  const bounds = await readCursorBounds(connection, source, cursor, {
    ...(after === undefined ? {} : { after }),
    ...(wanted.lag === undefined ? {} : { lag: wanted.lag }),
    ...(where === undefined ? {} : { where }),
  })
  if (rule === 'held-back') await assertOrdered(request, cursor, connection)
  const window = windowOf(rule, bounds, after)
  const plan = { request, cursor, rule, window }
  const steps =
    wanted.commitEveryRows === undefined
      ? [await planOneStep(plan, connection)]
      : await planSteps(plan, wanted.commitEveryRows, connection)
  return { rule, isFirst: earlier === undefined, movesAnyway: false, steps }
}

function ruleOf({ key, cursor }: IncrementRequest, { column, type }: CursorColumn): IncrementRule {
  if (key.length === 0 || cursor.merge === false) return 'held-back'
  const isKey = key.length === 1 && key[0] === column.name
  return isKey && type === 'bigint' && cursor.lag === undefined ? 'key-order' : 'merge'
}

function valueOf(earlier: SourcePosition, { column }: CursorColumn): string | undefined {
  if (earlier.kind === 'xmin') throw otherCursor('xmin')
  if (earlier.attnum !== column.attnum) throw otherCursor(earlier.column)
  return earlier.value
}

function otherCursor(name: string): FloeError {
  return new FloeError('invalid-input', `the table was loaded by --cursor ${name}`, {
    hint: `go on with --cursor ${name}, or load once with --mode replace and the new cursor`,
  })
}

async function assertOrdered(
  { source, where }: IncrementRequest,
  cursor: CursorColumn,
  connection: SourceConnection,
): Promise<void> {
  if (!(await hasUnorderedRows(connection, source, cursor, where))) return
  throw new FloeError('unsupported', `column ${cursor.column.name} holds nulls or infinities`, {
    hint: 'without a primary key such rows would come with every load or with none: leave them out with --where, or choose another cursor',
  })
}

/** `from <= value < below`; a lower bound that excludes its value is `after`. */
type Window = {
  readonly from?: string
  readonly after?: string
  readonly below?: string
  /** The greatest value that may be read, to divide by. */
  readonly top?: string
  /** Where the table stands when everything is in. */
  readonly end?: string
}

function windowOf(rule: IncrementRule, bounds: CursorBounds, after: string | undefined): Window {
  const { newest, settled, from } = bounds
  if (rule === 'held-back') {
    const end = settled ?? after
    const low = after === undefined ? {} : { from: after }
    // Without any value nothing is read: there is no row that has one.
    return end === undefined ? {} : { ...low, below: end, top: end, end }
  }
  const end = newest ?? after
  const high = end === undefined ? {} : { top: end, end }
  if (after === undefined) return high
  return rule === 'key-order' ? { after, ...high } : { from: from ?? after, ...high }
}

type ColumnPlanning = {
  readonly request: IncrementRequest
  readonly cursor: CursorColumn
  readonly rule: IncrementRule
  readonly window: Window
}

async function planOneStep(plan: ColumnPlanning, connection: SourceConnection): Promise<IncrementStep> {
  const { cursor, window, request } = plan
  const position = positionAt(cursor, window.end)
  const isBounded = (window.from ?? window.after) !== undefined
  // What reads the whole table reads it by blocks, whatever indexes there are.
  if (isBounded && cursor.isIndexed) {
    return { select: { ranges: await rangesOf(plan, window, true, connection) }, position }
  }
  const range = cursorRange(cursor, window)
  const outside = plan.rule === 'merge' ? rowsOutsideOrder(cursor, isBounded) : undefined
  const filter = outside === undefined ? range : `(${range}) OR ${outside}`
  const condition = isBounded || plan.rule === 'held-back' ? both(filter, request.where) : request.where
  return { select: condition === undefined ? {} : { filterOf: () => condition }, position }
}

async function planSteps(
  plan: ColumnPlanning,
  rowsMax: number,
  connection: SourceConnection,
): Promise<readonly IncrementStep[]> {
  const { request, cursor, rule, window } = plan
  if (!cursor.isIndexed) {
    throw new FloeError('invalid-input', `no index begins with ${cursor.column.name}`, {
      hint: '--commit-every reads one range of the cursor after the other: make an index, or load in one commit',
    })
  }
  const filter = both(cursorRange(cursor, window), request.where)
  const cuts = await readCursorSteps(connection, request.source, cursor, rowsMax, filter)
  const steps: IncrementStep[] = []
  for (let index = 0; index <= cuts.length; index++) {
    const [start, end] = [cuts[index - 1], cuts[index]]
    const { from, after, ...above } = window
    const low = start === undefined ? { from, after } : { from: start }
    const high = end === undefined ? above : { below: end, top: end }
    const range = defined({ ...low, ...high })
    const ranges = await rangesOf(plan, range, index === 0, connection)
    steps.push({
      select: { ranges },
      position: positionAt(cursor, end === undefined ? window.end : stood(end, rule)),
    })
  }
  return steps
}

/** Values from `end` on are yet to come; a key that is read is never read again, so the position is the one before. */
function stood(end: string, rule: IncrementRule): string {
  return rule === 'key-order' ? String(BigInt(end) - 1n) : end
}

async function rangesOf(
  { request, cursor, rule }: ColumnPlanning,
  window: Window,
  withUnordered: boolean,
  connection: SourceConnection,
): Promise<readonly string[]> {
  const { from = window.after, top } = window
  const count = request.workers * rangesPerWorker
  const cuts =
    from === undefined || top === undefined
      ? []
      : await divideCursorRange(connection, cursor, { from, to: top, count })
  const ranges = [...cuts, undefined].map((cut, index) => {
    const low = index === 0 ? { from: window.from, after: window.after } : { from: cuts[index - 1] }
    return cursorRange(cursor, defined({ ...low, below: cut ?? window.below }))
  })
  // Rows without a place in the order may change unseen: they are read each time, and replace themselves.
  const outside = rule === 'merge' && withUnordered ? rowsOutsideOrder(cursor, from !== undefined) : undefined
  return [...ranges, ...(outside === undefined ? [] : [outside])].map((range) => both(range, request.where))
}

function positionAt({ column }: CursorColumn, value: string | undefined): ColumnPosition {
  const { attnum, name } = column
  return { kind: 'column', attnum, column: name, ...(value === undefined ? {} : { value }) }
}

function both(condition: string, where: string | undefined): string {
  return where === undefined ? condition : `(${condition}) AND (${where})`
}

function defined<T extends object>(value: T): { [name in keyof T]?: NonNullable<T[name]> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [name in keyof T]?: NonNullable<T[name]>
  }
}
