import { crc32 } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { DataFile, PartitionSpec } from '@floe/iceberg'
import { joinLocation } from '@floe/storage'

import { decodeDeletionVector } from './deletion-vector.ts'
import { openEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { field, openLake, positionDeleteFields, readAll, rowsOf } from './lake-fixture.ts'
import type { FileDefinition, Lake } from './lake-fixture.ts'
import { quoteText } from './sql-text.ts'

let lake: Lake
let engine: Engine
let tables = 0

beforeAll(async () => {
  lake = await openLake()
  engine = await openEngine({ cacheDirectory: lake.directory }, lake)
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

const fields = [field(1, 'id', 'int'), field(2, 'part', 'string'), field(3, 'k', 'string')]
const byPart = {
  partitionSpec: {
    specId: 0,
    fields: [{ sourceIds: [2], fieldId: 1000, name: 'part', transform: { kind: 'identity' as const } }],
  },
}
type Identifier = { readonly namespace: readonly string[]; readonly name: string }

async function newTable(rest: Parameters<Lake['createTable']>[2] = {}): Promise<Identifier> {
  const identifier = { namespace: ['del'], name: `t${++tables}` }
  await lake.createTable(identifier, fields, rest)
  return identifier
}

const rows = (from: number, to: number, part = 'p'): string =>
  `SELECT i::INTEGER AS id, '${part}' AS part, 'k' || i AS k FROM range(${from}, ${to}) t(i)`
const positions = (file: DataFile | undefined, at: readonly number[]): FileDefinition => ({
  rows: `SELECT ${quoteText(file?.filePath ?? '')} AS file_path, unnest([${at.join(', ')}])::BIGINT AS pos`,
  content: 'position-deletes',
  fields: positionDeleteFields,
})
const ids = async ({ name }: Identifier, rest = ''): Promise<readonly unknown[]> =>
  (await rowsOf(engine, `SELECT id FROM del.${name} ${rest} ORDER BY id`)).map(([id]) => id)

describe('position deletes', () => {
  it('remove rows of their file only, also under filters, and not in versions before them', async () => {
    const table = await newTable()
    const { files, snapshotId } = await lake.commit(table, [{ rows: rows(0, 5) }, { rows: rows(5, 10) }])
    await lake.commit(table, [positions(files[0], [0, 3]), positions(files[1], [4])])
    expect(await ids(table)).toEqual([1, 2, 4, 5, 6, 7, 8])
    expect(await ids(table, 'WHERE id >= 3')).toEqual([4, 5, 6, 7, 8])
    expect(await ids(table, `AT (VERSION => ${snapshotId})`)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await rowsOf(engine, `SELECT count(*) FROM del.${table.name}`)).toEqual([[7]])
  })

  it('of one commit apply to files of the same commit', async () => {
    const table = await newTable()
    const name = 'known.parquet'
    const { metadata } = await lake.catalog.loadTable(table)
    const filePath = joinLocation(metadata.location, 'data', name)
    await lake.commit(table, [{ rows: rows(0, 3), name }, positions({ filePath } as DataFile, [1])])
    expect(await ids(table)).toEqual([0, 2])
  })

  it('do not stop a LIMIT from finding enough rows', async () => {
    const table = await newTable()
    const { files } = await lake.commit(table, [{ rows: rows(0, 5) }, { rows: rows(5, 10) }])
    await lake.commit(table, [positions(files[0], [0, 1, 2, 3, 4])])
    expect((await rowsOf(engine, `SELECT id FROM del.${table.name} LIMIT 3`)).length).toBe(3)
  })
})

describe('equality deletes', () => {
  const deleting = (values: string, extra: Partial<FileDefinition> = {}): FileDefinition => ({
    rows: `SELECT * FROM (VALUES ${values}) v(k)`,
    content: 'equality-deletes',
    equalityIds: [3],
    fields: [field(3, 'k', 'string')],
    ...extra,
  })

  it('apply to strictly older data', async () => {
    const table = await newTable()
    await lake.commit(table, [{ rows: rows(0, 3) }])
    await lake.commit(table, [deleting("('k0'), ('k2')"), { rows: rows(2, 4) }])
    await lake.commit(table, [{ rows: rows(0, 1) }])
    expect(await ids(table)).toEqual([0, 1, 2, 3])
    expect(await ids(table, "WHERE k IN ('k0', 'k2')")).toEqual([0, 2])
  })

  it('take null as equal to null', async () => {
    const table = await newTable()
    await lake.commit(table, [
      { rows: "SELECT 1::INTEGER AS id, 'p' AS part, NULL::VARCHAR AS k UNION ALL SELECT 2, 'p', 'x'" },
    ])
    await lake.commit(table, [deleting('(NULL::VARCHAR)')])
    expect(await ids(table)).toEqual([2])
  })

  it('of a partitioned spec stay in their partition', async () => {
    const table = await newTable(byPart)
    await lake.commit(table, [
      { rows: rows(0, 2, 'a'), partition: ['a'] },
      { rows: rows(0, 2, 'b'), partition: ['b'] },
    ])
    await lake.commit(table, [deleting("('k0')", { partition: ['a'] })])
    expect(await rowsOf(engine, `SELECT part, id FROM del.${table.name} ORDER BY ALL`)).toEqual([
      ['a', 1],
      ['b', 0],
      ['b', 1],
    ])
  })

  it('of an unpartitioned spec apply to files of every spec', async () => {
    const table = await newTable()
    await lake.update(table, [
      { action: 'add-spec', spec: { ...byPart.partitionSpec, specId: 1 } },
      { action: 'set-default-spec', specId: 1 },
    ])
    await lake.commit(table, [{ rows: rows(0, 2), partition: ['p'], specId: 1 }])
    await lake.commit(table, [deleting("('k0')", { specId: 0 })])
    expect(await ids(table)).toEqual([1])
  })

  it('compare columns that were dropped since, and several columns at once', async () => {
    const table = await newTable()
    await lake.commit(table, [{ rows: rows(0, 4) }])
    await lake.commit(table, [
      deleting("('k0')"),
      {
        rows: "SELECT 2::INTEGER AS id, 'p' AS part UNION ALL SELECT 3, 'other'",
        content: 'equality-deletes',
        equalityIds: [1, 2],
        fields: fields.slice(0, 2),
      },
    ])
    await lake.evolve(table, fields.slice(0, 2))
    expect(await rowsOf(engine, `SELECT * FROM del.${table.name} ORDER BY id`)).toEqual([
      [1, 'p'],
      [3, 'p'],
    ])
  })
})

describe('many upserts', () => {
  /** Commits that each delete a key by equality and write it anew, as an upsert does. */
  const upserts = 12

  it('leave the newest row of each key, and read each delete file once', async () => {
    const table = { namespace: ['ns'], name: 'upserts' }
    await lake.createTable(table, [field(1, 'id', 'int'), field(2, 'v', 'int')])
    for (let commit = 0; commit < upserts; commit++) {
      await lake.commit(table, [
        {
          rows: `SELECT (range % 3)::INT AS id, ${commit} AS v FROM range(${commit % 3}, ${(commit % 3) + 1})`,
        },
        {
          rows: `SELECT ${commit % 3}::INT AS id`,
          fields: [field(1, 'id', 'int')],
          content: 'equality-deletes',
          equalityIds: [1],
        },
      ])
    }
    expect(await rowsOf(engine, 'SELECT id, v FROM ns.upserts ORDER BY id')).toEqual([
      [0, upserts - 3],
      [1, upserts - 2],
      [2, upserts - 1],
    ])
    expect(await rowsOf(engine, 'SELECT count(*) FROM ns.upserts WHERE v < 9')).toEqual([[0]])
  })

  it('of a partitioned table stay in their partitions, beside deletes that hold everywhere', async () => {
    const table = { namespace: ['ns'], name: 'scoped' }
    const spec: PartitionSpec = {
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'p', transform: { kind: 'identity' } }],
    }
    const fields = [field(1, 'id', 'int'), field(2, 'p', 'string')]
    await lake.createTable(table, fields, { partitionSpec: spec })
    await lake.update(table, [{ action: 'add-spec', spec: { specId: 1, fields: [] } }])
    const both = (from: number): readonly FileDefinition[] =>
      ['a', 'b'].map((p) => ({
        rows: `SELECT range::INT AS id, '${p}' AS p FROM range(${from}, ${from + 4})`,
        partition: [p],
      }))
    const eq = { fields: [field(1, 'id', 'int')], content: 'equality-deletes', equalityIds: [1] } as const
    await lake.commit(table, both(0))
    await lake.commit(table, [
      ...both(10),
      { ...eq, rows: 'SELECT unnest([1, 11])::INT AS id', partition: ['a'] },
      { ...eq, rows: 'SELECT unnest([2, 12])::INT AS id', specId: 1 },
    ])
    await lake.commit(table, [{ ...eq, rows: 'SELECT unnest([11, 3])::INT AS id', partition: ['b'] }])
    expect(
      await rowsOf(engine, 'SELECT p, list(id ORDER BY id) FROM ns.scoped GROUP BY p ORDER BY p'),
    ).toEqual([
      ['a', [0, 3, 10, 11, 12, 13]],
      ['b', [0, 1, 10, 12, 13]],
    ])
  })
})

describe('deletion vectors', () => {
  it('replace older position deletes of their file', async () => {
    const table = await newTable({ properties: { 'format-version': '3' } })
    const { files } = await lake.commit(table, [{ rows: rows(0, 6) }, { rows: rows(6, 9) }])
    const [target] = files
    const blob = encodeVector([1, 4, 5])
    const filePath = `${target?.filePath}.puffin`
    const padded = new Uint8Array([...new Uint8Array(4), ...blob, ...new Uint8Array(8)])
    await lake.store.put(filePath, padded)
    const vector: DataFile = {
      content: 'position-deletes',
      filePath,
      fileFormat: 'puffin',
      specId: 0,
      partition: [],
      recordCount: 3,
      fileSizeInBytes: padded.length,
      referencedDataFile: target?.filePath ?? '',
      contentOffset: 4,
      contentSizeInBytes: blob.length,
    }
    await lake.commit(table, [], { extra: [vector] })
    expect(await ids(table)).toEqual([0, 2, 3, 6, 7, 8])
    const { result } = await readAll(engine, `SELECT id FROM del.${table.name} WHERE id < 3`)
    expect(result.pruning[0]?.report).toMatchObject({ filesTotal: 2, filesKept: 1 })
  })

  it('are read in every container form of a Roaring bitmap', () => {
    const array = [0, 7, 65_535]
    const runs = Array.from({ length: 300 }, (_, at) => 65_536 + 10 + at)
    expect(decodeDeletionVector(encodeVector(array), 'x')).toEqual(array.map(BigInt))
    expect(decodeDeletionVector(encodeRuns(1, [[10, 299]]), 'x')).toEqual(runs.map(BigInt))
    const dense = Array.from({ length: 6000 }, (_, at) => at * 2)
    expect(decodeDeletionVector(encodeVector(dense), 'x')).toEqual(dense.map(BigInt))
    const high = (5n << 32n) + 3n
    expect(decodeDeletionVector(encodeVector([3], 5), 'x')).toEqual([high])
  })

  it('are refused when they are damaged', () => {
    const good = encodeVector([1, 2, 3])
    for (const at of [0, 4, 20, good.length - 1]) {
      const bad = good.slice()
      bad[at] = (bad[at] ?? 0) ^ 0xff
      expect(() => decodeDeletionVector(bad, 'dv.puffin')).toThrow(
        expect.objectContaining({ code: 'corrupt-data' }),
      )
    }
    expect(() => decodeDeletionVector(good.slice(0, 10), 'dv.puffin')).toThrow(
      expect.objectContaining({ code: 'corrupt-data' }),
    )
  })
})

const le = (bytes: number, value: number): number[] =>
  Array.from({ length: bytes }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 0xff)
const be32 = (value: number): number[] => le(4, value).reverse()

/** A vector of one container (positions below 65536) under the high 32 bits `high`. */
function encodeVector(positions: readonly number[], high = 0): Uint8Array {
  const container =
    positions.length <= 4096
      ? positions.flatMap((position) => le(2, position))
      : Array.from({ length: 8192 }, (_, byte) =>
          positions.filter((p) => p >> 3 === byte).reduce((bits, p) => bits | (1 << (p & 7)), 0),
        )
  return wrap(high, [
    ...le(4, 12346),
    ...le(4, 1),
    ...le(2, 0),
    ...le(2, positions.length - 1),
    ...le(4, 16),
    ...container,
  ])
}

/** A vector of one container of runs (start, length - 1) under the 16-bit key `key`. */
function encodeRuns(key: number, runs: readonly (readonly [number, number])[]): Uint8Array {
  const cardinality = runs.reduce((sum, [, more]) => sum + more + 1, 0)
  const container = [
    ...le(2, runs.length),
    ...runs.flatMap(([start, more]) => [...le(2, start), ...le(2, more)]),
  ]
  return wrap(0, [...le(4, 12347), 1, ...le(2, key), ...le(2, cardinality - 1), ...container])
}

function wrap(high: number, bitmap: readonly number[]): Uint8Array {
  const checked = [0xd1, 0xd3, 0x39, 0x64, ...le(8, 1), ...le(4, high), ...bitmap]
  return new Uint8Array([...be32(checked.length), ...checked, ...be32(crc32(new Uint8Array(checked)))])
}
