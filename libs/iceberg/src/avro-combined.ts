import avro from 'avsc'
import {
  builtin,
  checkLeft,
  corrupt,
  OwnType,
  readBlockCount,
  readNumber,
  type Tap,
  type TapType,
} from './avro-tap.ts'
import { FloeError } from './error.ts'

class MappedType<A, B> extends OwnType<B> {
  readonly #type: TapType<A>
  readonly #decode: (value: A) => B
  readonly #encode: (value: B) => A

  constructor(type: TapType<A>, decode: (value: A) => B, encode: (value: B) => A) {
    super()
    this.#type = type
    this.#decode = decode
    this.#encode = encode
  }
  _read(tap: Tap): B {
    const value = this.#type._read(tap)
    // What avsc reads beyond the end is no value.
    checkLeft(tap, 0)
    return this.#decode(value)
  }
  _skip(tap: Tap): void {
    this.#type._skip(tap)
  }
  _write(tap: Tap, value: B): void {
    this.#type._write(tap, this.#encode(value))
  }
}

/** A type whose values are held in another form than it stores. */
export function mappedType<A, B>(
  type: TapType<A>,
  decode: (value: A) => B,
  encode: (value: B) => A,
): TapType<B> {
  return new MappedType(type, decode, encode)
}

class SkippedType<T> extends OwnType<undefined> {
  readonly #type: TapType<T>
  readonly #written: T | undefined

  constructor(type: TapType<T>, written: T | undefined) {
    super()
    this.#type = type
    this.#written = written
  }
  _read(tap: Tap): undefined {
    this.#type._skip(tap)
  }
  _skip(tap: Tap): void {
    this.#type._skip(tap)
  }
  _write(tap: Tap): void {
    if (this.#written === undefined) throw new FloeError('internal', 'a field that is not known is written')
    this.#type._write(tap, this.#written)
  }
}

/** A type that is passed over when read. Writes `written` always. */
export function skippedType<T>(type: TapType<T>, written?: T): TapType<undefined> {
  return new SkippedType(type, written)
}

class UnionType<T> extends OwnType<T | undefined> {
  readonly #branches: readonly TapType<T | undefined>[]
  readonly #empty: number
  readonly #filled: number

  constructor(branches: readonly TapType<T | undefined>[], empty: number) {
    super()
    this.#branches = branches
    this.#empty = empty
    this.#filled = branches.findIndex((_, at) => at !== empty)
  }
  #branch(index: number): TapType<T | undefined> {
    const branch = this.#branches[index]
    if (branch === undefined) throw corrupt('a union has no such branch')
    return branch
  }
  _read(tap: Tap): T | undefined {
    const index = readNumber(tap)
    return index === this.#empty ? undefined : this.#branch(index)._read(tap)
  }
  _skip(tap: Tap): void {
    this.#branch(readNumber(tap))._skip(tap)
  }
  _write(tap: Tap, value: T | null | undefined): void {
    const index = value === undefined || value === null ? this.#empty : this.#filled
    if (index < 0) throw new FloeError('invalid-input', 'a value does not fit the branches of its union')
    tap.writeLong(index)
    if (index !== this.#empty) this.#branch(index)._write(tap, value ?? undefined)
  }
}

/** @param empty  index of the branch that is null, -1 without one */
export function unionType<T>(
  branches: readonly TapType<T | undefined>[],
  empty: number,
): TapType<T | undefined> {
  return new UnionType(branches, empty)
}

class ListType<T> extends OwnType<readonly T[]> {
  readonly #item: TapType<T>

  constructor(item: TapType<T>) {
    super()
    this.#item = item
  }
  _read(tap: Tap): readonly T[] {
    const items: T[] = []
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      for (let at = 0; at < count; at++) {
        const start = tap.pos
        items.push(this.#item._read(tap))
        if (tap.pos === start) throw corrupt('the items of an array take no bytes')
      }
    }
    return items
  }
  _skip(tap: Tap): void {
    skipItems(tap, () => this.#item._skip(tap))
  }
  _write(tap: Tap, items: readonly T[]): void {
    if (items.length > 0) tap.writeLong(items.length)
    for (const item of items) this.#item._write(tap, item)
    tap.writeLong(0)
  }
}

export function listType<T>(item: TapType<T>): TapType<readonly T[]> {
  return new ListType(item)
}

function skipItems(tap: Tap, skip: () => void): void {
  for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
    if (count < 0) {
      // With its size in bytes: no need to look at the items.
      const size = tap.readLong()
      checkLeft(tap, size)
      tap.pos += size
      continue
    }
    checkLeft(tap, 0)
    for (let at = 0; at < count; at++) {
      const start = tap.pos
      skip()
      if (tap.pos === start) break
      checkLeft(tap, 0)
    }
  }
}

type LastMap<T> = {
  readonly buf: Buffer
  readonly start: number
  readonly end: number
  readonly map: ReadonlyMap<number, T>
}

/** Values by column id: an array of key-value records, or Avro's own map. */
class ColumnMapType<T> extends OwnType<ReadonlyMap<number, T>> {
  readonly #key: TapType<number>
  readonly #value: TapType<T>
  readonly #columns: ReadonlySet<number> | undefined
  readonly #none: ReadonlyMap<number, T> = new Map<number, T>()
  #last: LastMap<T> | undefined

  constructor(key: TapType<number>, value: TapType<T>, columns: ReadonlySet<number> | undefined) {
    super()
    this.#key = key
    this.#value = value
    this.#columns = columns
  }
  _read(tap: Tap): ReadonlyMap<number, T> {
    if (this.#columns?.size === 0) {
      this._skip(tap)
      return this.#none
    }
    const { buf, pos } = tap
    const last = this.#last
    if (last?.buf === buf) {
      // Files of one table often have equal null counts. Equal bytes are an equal map, as the encoding ends itself.
      const end = pos + last.end - last.start
      if (end <= buf.length && buf.compare(buf, last.start, last.end, pos, end) === 0) {
        tap.pos = end
        return last.map
      }
    }
    const map = this.#readMap(tap)
    this.#last = { buf, start: pos, end: tap.pos, map }
    return map
  }
  #readMap(tap: Tap): ReadonlyMap<number, T> {
    const map = new Map<number, T>()
    const columns = this.#columns
    const key = this.#key
    const value = this.#value
    for (let count = readBlockCount(tap); count > 0; count = readBlockCount(tap)) {
      for (let at = 0; at < count; at++) {
        const column = key._read(tap)
        if (columns === undefined || columns.has(column)) map.set(column, value._read(tap))
        else value._skip(tap)
        checkLeft(tap, 0)
      }
    }
    return map
  }
  _skip(tap: Tap): void {
    skipItems(tap, () => {
      this.#key._skip(tap)
      this.#value._skip(tap)
    })
  }
  _write(tap: Tap, map: ReadonlyMap<number, T>): void {
    if (map.size > 0) tap.writeLong(map.size)
    for (const [column, item] of map) {
      this.#key._write(tap, column)
      this.#value._write(tap, item)
    }
    tap.writeLong(0)
  }
}

/** @param columns  the only ones to keep when read; all when absent */
export function columnMapType<T>(
  key: TapType<number>,
  value: TapType<T>,
  columns?: ReadonlySet<number>,
): TapType<ReadonlyMap<number, T>> {
  return new ColumnMapType(key, value, columns)
}

export type RecordFieldType = readonly [property: string, type: avro.Type]

/**
 * A record as avsc generates code for it. Property names must be identifiers of ours: names of the file would be code.
 */
export function recordType<T>(fields: readonly RecordFieldType[]): TapType<T> {
  const schema = { type: 'record', fields: fields.map(([name, type]) => ({ name, type })) }
  return builtin(avro.Type.forSchema(schema as unknown as avro.Type, { omitRecordMethods: true }))
}
