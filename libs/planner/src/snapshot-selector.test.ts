import { describe, expect, it } from 'vitest'

import { resolveSnapshot, selectedSchema, snapshotSchema } from './snapshot-selector.ts'
import type { SnapshotSelector } from './snapshot-selector.ts'
import { dataFile, field, TestTable } from './table-fixture.ts'

const first = 9_007_199_254_740_993n
const second = 9_007_199_254_740_994n

async function twoVersions(): Promise<TestTable> {
  const table = new TestTable([field(1, 'id', 'int')])
  await table.commit([[dataFile('a')]], first)
  const schemas = [...table.metadata.schemas, { schemaId: 1, fields: [field(1, 'renamed', 'int')] }]
  table.metadata = { ...table.metadata, schemas, currentSchemaId: 1 }
  await table.commit([[dataFile('b')]], second)
  const snapshotLog = [
    { snapshotId: first, timestampMs: 1000 },
    { snapshotId: second, timestampMs: 2000 },
  ]
  const refs = {
    ...table.metadata.refs,
    v1: { snapshotId: first, type: 'tag' as const },
    dev: { snapshotId: first, type: 'branch' as const },
  }
  table.metadata = { ...table.metadata, snapshotLog, refs }
  return table
}

describe('a version of a table', () => {
  it('is found by id beyond 2^53, ref, and time on main', async () => {
    const { metadata } = await twoVersions()
    const id = (selector: SnapshotSelector): bigint | undefined =>
      resolveSnapshot(metadata, selector)?.snapshotId
    expect(id({ kind: 'current' })).toBe(second)
    expect(id({ kind: 'id', snapshotId: first })).toBe(first)
    expect(id({ kind: 'ref', name: 'v1' })).toBe(first)
    expect(id({ kind: 'ref', name: 'main' })).toBe(second)
    expect(id({ kind: 'timestamp', timestampMs: 1000 })).toBe(first)
    expect(id({ kind: 'timestamp', timestampMs: 1999 })).toBe(first)
    expect(id({ kind: 'timestamp', timestampMs: 2000 })).toBe(second)
  })

  it('is refused when it does not exist, expired, or lies ahead', async () => {
    const { metadata } = await twoVersions()
    const resolve = (selector: SnapshotSelector, nowMs = 5000): unknown =>
      resolveSnapshot(metadata, selector, { nowMs })
    const error = (code: string, part: string): unknown =>
      expect.objectContaining({ code, message: expect.stringContaining(part) })
    expect(() => resolve({ kind: 'id', snapshotId: 3n })).toThrow(error('not-found', '3'))
    expect(() => resolve({ kind: 'ref', name: 'constructor' })).toThrow(error('not-found', 'constructor'))
    expect(() => resolve({ kind: 'timestamp', timestampMs: 999 })).toThrow(error('not-found', '999'))
    expect(() => resolve({ kind: 'timestamp', timestampMs: 5001 })).toThrow(error('invalid-input', 'future'))
    expect(resolve({ kind: 'timestamp', timestampMs: 5000 })).toMatchObject({ snapshotId: second })
  })

  it('shows its own schema, and a branch the current one', async () => {
    const { metadata } = await twoVersions()
    const column = (selector: SnapshotSelector): string | undefined =>
      selectedSchema(metadata, selector, resolveSnapshot(metadata, selector)).fields[0]?.name
    expect(column({ kind: 'id', snapshotId: first })).toBe('id')
    expect(column({ kind: 'ref', name: 'v1' })).toBe('id')
    expect(column({ kind: 'timestamp', timestampMs: 1500 })).toBe('id')
    expect(column({ kind: 'ref', name: 'dev' })).toBe('renamed')
    expect(column({ kind: 'current' })).toBe('renamed')
    const { schemaId: _, ...unnamed } = metadata.snapshots[0] ?? {
      snapshotId: 0n,
      sequenceNumber: 0n,
      timestampMs: 0,
    }
    expect(snapshotSchema(metadata, unnamed).fields[0]?.name).toBe('renamed')
  })
})
