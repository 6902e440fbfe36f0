import { describe, expect, it } from 'vitest'

import type { DataFile, PartitionSpec } from '@floe/iceberg'

import { planScan } from './plan-scan.ts'
import { dataFile, field, TestTable } from './table-fixture.ts'

const fields = [field(1, 'id', 'int'), field(2, 'part', 'string')]
const byPart: PartitionSpec = {
  specId: 0,
  fields: [{ sourceIds: [2], fieldId: 1000, name: 'part', transform: { kind: 'identity' } }],
}
const path = (name: string): string => `memory://test/t/data/${name}`
const encoder = new TextEncoder()

async function deletesByFile(table: TestTable): Promise<Record<string, readonly string[]>> {
  const short = ({ filePath }: DataFile): string => filePath.split('/').at(-1) ?? ''
  const { tasks } = await planScan({ metadata: table.metadata }, table)
  return Object.fromEntries(tasks.map((task) => [short(task.dataFile), task.deletes.map(short).toSorted()]))
}

describe('delete files of a data file', () => {
  it('are position deletes of the same or a newer commit, and equality deletes of a newer one', async () => {
    const table = new TestTable(fields)
    const pos = (name: string): DataFile => dataFile(name, { content: 'position-deletes' })
    const eq = (name: string): DataFile => dataFile(name, { content: 'equality-deletes', equalityIds: [1] })
    await table.commit([[dataFile('d1')], [pos('p1'), eq('e1')]])
    await table.commit([[dataFile('d2')], [pos('p2'), eq('e2')]])
    expect(await deletesByFile(table)).toEqual({ d1: ['e2', 'p1', 'p2'], d2: ['p2'] })
  })

  it('are in the same partition of the same spec, but for equality deletes without a partition', async () => {
    const table = new TestTable(fields, { spec: byPart })
    const unpartitioned: PartitionSpec = { specId: 1, fields: [] }
    table.metadata = { ...table.metadata, partitionSpecs: [byPart, unpartitioned] }
    await table.commit([
      [
        dataFile('a', { partition: ['a'] }),
        dataFile('b', { partition: ['b'] }),
        dataFile('null', { partition: [null] }),
      ],
      [dataFile('plain', { specId: 1 })],
    ])
    const eq = { content: 'equality-deletes', equalityIds: [1] } as const
    await table.commit([
      [
        dataFile('pos-a', { content: 'position-deletes', partition: ['a'] }),
        dataFile('eq-b', { ...eq, partition: ['b'] }),
        dataFile('eq-null', { ...eq, partition: [null] }),
      ],
      [
        dataFile('pos-plain', { content: 'position-deletes', specId: 1 }),
        dataFile('eq-all', { ...eq, specId: 1 }),
      ],
    ])
    expect(await deletesByFile(table)).toEqual({
      a: ['eq-all', 'pos-a'],
      b: ['eq-all', 'eq-b'],
      null: ['eq-all', 'eq-null'],
      plain: ['eq-all', 'pos-plain'],
    })
  })

  it('leave out position deletes that name another file, by reference or by bounds', async () => {
    const table = new TestTable(fields)
    await table.commit([[dataFile('a'), dataFile('b')]])
    const bounds = new Map([[2147483546, encoder.encode(path('a'))]])
    await table.commit([
      [
        dataFile('bounded', { content: 'position-deletes', lowerBounds: bounds, upperBounds: bounds }),
        dataFile('referring', { content: 'position-deletes', referencedDataFile: path('b') }),
      ],
    ])
    expect(await deletesByFile(table)).toEqual({ a: ['bounded'], b: ['referring'] })
  })

  it('are the deletion vector alone, when a file has one, beside equality deletes', async () => {
    const table = new TestTable(fields, { formatVersion: 3 })
    await table.commit([
      [dataFile('a'), dataFile('b')],
      [dataFile('old-pos', { content: 'position-deletes' })],
    ])
    const vector = {
      content: 'position-deletes',
      fileFormat: 'puffin',
      contentOffset: 4,
      contentSizeInBytes: 40,
    } as const
    await table.commit([
      [
        dataFile('dv', { ...vector, referencedDataFile: path('a') }),
        dataFile('eq', { content: 'equality-deletes', equalityIds: [1] }),
      ],
    ])
    expect(await deletesByFile(table)).toEqual({ a: ['dv', 'eq'], b: ['eq', 'old-pos'] })
  })

  it('are not looked for in manifests that are older than all data', async () => {
    const table = new TestTable(fields)
    await table.commit([[dataFile('old-delete', { content: 'position-deletes' })]])
    await table.commit([[dataFile('a')]])
    const plan = await planScan({ metadata: table.metadata }, table)
    expect(plan.tasks[0]?.deletes).toEqual([])
    expect(plan.report).toMatchObject({ manifestsTotal: 2, manifestsScanned: 1 })
  })
})
