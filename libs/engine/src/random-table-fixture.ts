import { applyTransform, parseTransform } from '@floe/iceberg'
import type { NestedField, Partition, PartitionSpec, PrimitiveType, PrimitiveValue } from '@floe/iceberg'
import * as fc from 'fast-check'

import { field, positionDeleteFields } from './lake-fixture.ts'
import type { FileDefinition, Lake } from './lake-fixture.ts'
import { quoteText } from './sql-text.ts'

/** Values of one row beside its key: null, or what the column's type holds. */
export type RandomRow = {
  readonly id: number | null
  readonly s: string | null
  readonly d: number | null
  readonly ts: bigint | null
  readonly x: number | null
}

/** What happens to a table, one commit or change of metadata at a time. */
export type Step =
  | { readonly kind: 'append'; readonly rows: readonly RandomRow[] }
  | {
      readonly kind: 'equality-delete'
      readonly ids: readonly (number | null)[]
      readonly everywhere: boolean
    }
  | { readonly kind: 'position-delete'; readonly picks: readonly number[] }
  | { readonly kind: 'set-spec'; readonly transforms: readonly TransformText[] }
  | { readonly kind: 'rename' }
  | { readonly kind: 'add-column' }

type Column = keyof RandomRow
type TransformText = readonly [column: Column, transform: string]

const columns: Readonly<Record<Column, { readonly id: number; readonly type: PrimitiveType }>> = {
  id: { id: 2, type: { kind: 'int' } },
  s: { id: 3, type: { kind: 'string' } },
  d: { id: 4, type: { kind: 'date' } },
  ts: { id: 5, type: { kind: 'timestamp' } },
  x: { id: 6, type: { kind: 'double' } },
}

const texts = ['', 'a', 'ab', 'abc', 'aé', 'b', "it's", 'zzzzzzzzzzzzzzzzzzzzzzzz']
const rowArbitrary: fc.Arbitrary<RandomRow> = fc.record({
  id: fc.option(fc.integer({ min: -5, max: 15 })),
  s: fc.option(fc.constantFrom(...texts)),
  d: fc.option(fc.integer({ min: -3, max: 70 })),
  ts: fc.option(fc.bigInt({ min: -7_200_000_000n, max: 90_000_000_000n })),
  x: fc.option(
    fc.constantFrom(Number.NaN, -0, 0, 1.5, -1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
})

const transformArbitrary: fc.Arbitrary<TransformText> = fc.constantFrom<TransformText>(
  ['id', 'identity'],
  ['id', 'bucket[3]'],
  ['id', 'truncate[4]'],
  ['s', 'identity'],
  ['s', 'truncate[1]'],
  ['s', 'bucket[2]'],
  ['d', 'month'],
  ['d', 'year'],
  ['ts', 'day'],
  ['ts', 'hour'],
)
const specArbitrary = fc.uniqueArray(transformArbitrary, { maxLength: 2, selector: ([column]) => column })

const appendArbitrary: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('append' as const),
  rows: fc.array(rowArbitrary, { minLength: 1, maxLength: 8 }),
})

export const stepsArbitrary: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    specArbitrary.map((transforms): Step => ({ kind: 'set-spec', transforms })),
    appendArbitrary,
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: appendArbitrary },
        {
          weight: 2,
          arbitrary: fc.record({
            kind: fc.constant('equality-delete' as const),
            ids: fc.array(fc.option(fc.integer({ min: -5, max: 15 })), { minLength: 1, maxLength: 6 }),
            everywhere: fc.boolean(),
          }),
        },
        {
          weight: 2,
          arbitrary: fc.record({
            kind: fc.constant('position-delete' as const),
            picks: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
          }),
        },
        { weight: 1, arbitrary: specArbitrary.map((transforms): Step => ({ kind: 'set-spec', transforms })) },
        { weight: 1, arbitrary: fc.constant<Step>({ kind: 'rename' }) },
        { weight: 1, arbitrary: fc.constant<Step>({ kind: 'add-column' }) },
      ),
      { maxLength: 4 },
    ),
  )
  .map(([spec, append, rest]) => [spec, append, ...rest])

type LiveRow = {
  readonly key: number
  readonly row: RandomRow
  readonly sequence: number
  readonly file: string
  readonly position: number
  readonly specId: number
  readonly partition: Partition
}

/** A table that random steps made, beside the rows that the spec says it has. */
export class RandomTable {
  readonly name: string
  readonly #lake: Lake
  readonly #identifier: { readonly namespace: readonly string[]; readonly name: string }
  readonly #written: LiveRow[] = []
  #live: readonly LiveRow[] = []
  #specs: readonly PartitionSpec[] = [{ specId: 0, fields: [] }]
  #spec: PartitionSpec = { specId: 0, fields: [] }
  #sequence = 0
  #nextPartitionId = 1000
  textColumn = 's'
  hasNewColumn = false

  constructor(lake: Lake, name: string) {
    this.#lake = lake
    this.#identifier = { namespace: ['random'], name }
    this.name = `random.${name}`
  }

  async create(): Promise<void> {
    await this.#lake.createTable(this.#identifier, this.#fields())
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.#append(step.rows)
      case 'equality-delete':
        return this.#deleteEqual(step.ids, step.everywhere)
      case 'position-delete':
        return this.#deletePositions(step.picks)
      case 'set-spec':
        return this.#setSpec(step.transforms)
      case 'rename':
        this.textColumn = this.textColumn === 's' ? 'words' : 's'
        return this.#lake.evolve(this.#identifier, this.#fields())
      case 'add-column':
        this.hasNewColumn = true
        return this.#lake.evolve(this.#identifier, this.#fields())
    }
  }

  /** The rows that the table should have, as a SELECT that reads no table. */
  modelSql(): string {
    const more = this.hasNewColumn ? ', NULL::INTEGER AS n' : ''
    if (this.#live.length === 0)
      return `SELECT *${more} FROM (${this.#rowsSql([{ key: 0, row: emptyRow }])}) WHERE false`
    return `SELECT *${more} FROM (${this.#rowsSql(this.#live)})`
  }

  #fields(): readonly NestedField[] {
    return [
      field(1, 'k', 'int'),
      ...Object.entries(columns).map(([name, { id, type }]) =>
        field(id, name === 's' ? this.textColumn : name, type),
      ),
      ...(this.hasNewColumn ? [field(7, 'n', 'int')] : []),
    ]
  }

  #rowsSql(rows: readonly { readonly key: number; readonly row: RandomRow }[]): string {
    const values = rows.map(({ key, row }) => `(${key}, ${rowSql(row)})`).join(', ')
    return `SELECT * FROM (VALUES ${values}) AS v(k, id, ${this.textColumn}, d, ts, x)`
  }

  async #append(rows: readonly RandomRow[]): Promise<void> {
    const spec = this.#spec
    const keyed = rows.map((row, at) => ({
      key: this.#written.length + at,
      row,
      partition: partitionOf(row, spec),
    }))
    const groups = [...Map.groupBy(keyed, ({ partition }) => partitionText(partition)).values()]
    const more = this.hasNewColumn ? ', NULL::INTEGER AS n' : ''
    const definitions = groups.map((group) => ({
      rows: `SELECT *${more} FROM (${this.#rowsSql(group)})`,
      partition: group[0]?.partition ?? [],
      specId: spec.specId,
    }))
    const { files } = await this.#commit(definitions)
    for (const [at, group] of groups.entries()) {
      for (const [position, { key, row, partition }] of group.entries()) {
        const file = files[at]?.filePath ?? ''
        this.#written.push({
          key,
          row,
          sequence: this.#sequence,
          file,
          position,
          specId: spec.specId,
          partition,
        })
      }
    }
    this.#live = [...this.#live, ...this.#written.slice(this.#written.length - rows.length)]
  }

  async #deleteEqual(ids: readonly (number | null)[], everywhere: boolean): Promise<void> {
    const target = everywhere ? undefined : this.#written.at(-1)
    const unpartitioned = this.#specs.find(({ fields }) => fields.length === 0)?.specId ?? 0
    const { specId, partition } = target ?? { specId: unpartitioned, partition: [] }
    await this.#commit([
      {
        rows: `SELECT unnest([${ids.map((id) => id ?? 'NULL').join(', ')}])::INTEGER AS id`,
        fields: [field(columns.id.id, 'id', 'int')],
        content: 'equality-deletes',
        equalityIds: [columns.id.id],
        specId,
        partition,
      },
    ])
    const isGlobal = partition.length === 0
    this.#live = this.#live.filter((row) => {
      const inScope =
        isGlobal || (row.specId === specId && partitionText(row.partition) === partitionText(partition))
      return !(inScope && row.sequence < this.#sequence && ids.includes(row.row.id))
    })
  }

  async #deletePositions(picks: readonly number[]): Promise<void> {
    const rows = picks
      .map((pick) => this.#written[pick % this.#written.length])
      .filter((row) => row !== undefined)
    const definitions = [...Map.groupBy(rows, ({ file }) => file)].map(([file, own]): FileDefinition => ({
      rows: `SELECT ${quoteText(file)} AS file_path, unnest([${own.map(({ position }) => position).join(', ')}])::BIGINT AS pos`,
      fields: positionDeleteFields,
      content: 'position-deletes',
      specId: own[0]?.specId ?? 0,
      partition: own[0]?.partition ?? [],
    }))
    await this.#commit(definitions)
    this.#live = this.#live.filter((row) => !rows.includes(row))
  }

  async #setSpec(transforms: readonly TransformText[]): Promise<void> {
    const specId = this.#specs.length
    const fields = transforms.map(([column, text]) => {
      const fieldId = this.#nextPartitionId++
      return {
        sourceIds: [columns[column].id],
        fieldId,
        name: `p${fieldId}`,
        transform: parseTransform(text),
      }
    })
    if (fields.length === 0) return
    this.#spec = { specId, fields }
    this.#specs = [...this.#specs, this.#spec]
    await this.#lake.update(this.#identifier, [
      { action: 'add-spec', spec: this.#spec },
      { action: 'set-default-spec', specId },
    ])
  }

  #commit(definitions: readonly FileDefinition[]): ReturnType<Lake['commit']> {
    this.#sequence += 1
    return this.#lake.commit(this.#identifier, definitions)
  }
}

const emptyRow: RandomRow = { id: null, s: null, d: null, ts: null, x: null }

function rowSql({ id, s, d, ts, x }: RandomRow): string {
  return [
    `${id ?? 'NULL'}::INTEGER`,
    s === null ? 'NULL::VARCHAR' : quoteText(s),
    d === null ? 'NULL::DATE' : `(DATE '1970-01-01' + ${d})::DATE`,
    ts === null ? 'NULL::TIMESTAMP' : `make_timestamp(${ts})`,
    x === null ? 'NULL::DOUBLE' : `'${Object.is(x, -0) ? '-0' : x}'::DOUBLE`,
  ].join(', ')
}

function partitionOf(row: RandomRow, { fields }: PartitionSpec): Partition {
  return fields.map(({ sourceIds, transform }): PrimitiveValue | null => {
    const entry = Object.entries(columns).find(([, { id }]) => id === sourceIds[0])
    const value = entry === undefined ? null : row[entry[0] as Column]
    return value === null || entry === undefined ? null : applyTransform(transform, entry[1].type, value)
  })
}

function partitionText(partition: Partition): string {
  return JSON.stringify(partition.map((value) => (typeof value === 'bigint' ? `${value}n` : value)))
}
