import { parseTableMetadata } from '@floe/iceberg'
import { expect, it } from 'vitest'
import { appendBody, readHead, tableHistory } from './table-history.ts'

const uuid = '2b2f7a0e-7d0b-4c8e-9a63-0b1c2d3e4f50'

it('makes histories that are valid metadata, and picks the newest snapshot out of them', () => {
  const text = tableHistory(uuid, 'file:///lake/t', 30, 1_700_000_000_000)
  const { snapshots, currentSnapshotId, refs } = parseTableMetadata(text)
  expect(snapshots).toHaveLength(30)
  expect(refs['main']?.snapshotId).toBe(currentSnapshotId)
  expect(currentSnapshotId).toBeGreaterThan(2n ** 53n)
  expect(readHead(Buffer.from(text))).toEqual({
    uuid,
    location: 'file:///lake/t',
    snapshotId: String(currentSnapshotId),
    sequenceNumber: 30,
  })
})

it('appends on the snapshot that was read, and on none where there is none', () => {
  const head = { uuid, location: 'file:///lake/t', snapshotId: '7000000000000000030', sequenceNumber: 30 }
  const body = appendBody(head, 1_700_000_000_000)
  expect(body).toContain('"ref":"main","snapshot-id":7000000000000000030}')
  expect(body).toContain('"parent-snapshot-id":7000000000000000030,"sequence-number":31')
  const first = appendBody({ ...head, snapshotId: undefined, sequenceNumber: 0 }, 1_700_000_000_000)
  expect(first).toContain('"ref":"main","snapshot-id":null}')
  expect(first).not.toContain('parent-snapshot-id')
})
