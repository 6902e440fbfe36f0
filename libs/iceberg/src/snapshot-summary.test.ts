import { describe, expect, it } from 'vitest'
import { snapshotSummary, type DataFile, type Snapshot } from './index.ts'

const file = (change: Partial<DataFile> = {}): DataFile => ({
  content: 'data',
  filePath: 'f',
  fileFormat: 'parquet',
  specId: 0,
  partition: [1],
  recordCount: 10,
  fileSizeInBytes: 100,
  ...change,
})
const parentWith = (summary: Record<string, string>): Snapshot => ({
  snapshotId: 1n,
  sequenceNumber: 1n,
  timestampMs: 1,
  summary,
})

describe('snapshotSummary', () => {
  it('starts totals at 0 for the first snapshot', () => {
    expect(
      snapshotSummary({ operation: 'append', parent: undefined, added: [file(), file({ partition: [2] })] }),
    ).toEqual({
      operation: 'append',
      'added-data-files': '2',
      'added-records': '20',
      'added-files-size': '200',
      'changed-partition-count': '2',
      'total-data-files': '2',
      'total-records': '20',
      'total-files-size': '200',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    })
  })

  it('carries totals over, exactly beyond 2^53, and leaves out what the parent did not know', () => {
    const parent = parentWith({
      'total-records': '9007199254740993',
      'total-data-files': '5',
      'total-files-size': 'NaN',
    })
    const summary = snapshotSummary({
      operation: 'overwrite',
      parent,
      added: [file()],
      removed: [file(), file({ partition: [1] })],
    })
    expect(summary).toMatchObject({
      'deleted-data-files': '2',
      'deleted-records': '20',
      'removed-files-size': '200',
      'total-records': '9007199254740983',
      'total-data-files': '4',
      'changed-partition-count': '1',
    })
    expect(summary).not.toHaveProperty('total-files-size')
    expect(summary).not.toHaveProperty('total-delete-files')
  })

  it('tells position deletes, deletion vectors and equality deletes apart', () => {
    const vector = file({
      content: 'position-deletes',
      fileFormat: 'puffin',
      fileSizeInBytes: 9999,
      contentSizeInBytes: 40,
    })
    const added = [
      vector,
      file({ content: 'position-deletes' }),
      file({ content: 'equality-deletes', recordCount: 3 }),
    ]
    expect(snapshotSummary({ operation: 'delete', parent: parentWith({}), added })).toEqual({
      operation: 'delete',
      'added-delete-files': '3',
      'added-dvs': '1',
      'added-position-delete-files': '1',
      'added-equality-delete-files': '1',
      'added-position-deletes': '20',
      'added-equality-deletes': '3',
      'added-files-size': '240',
      'changed-partition-count': '1',
    })
  })

  it('keeps the properties of the writer, never over computed members', () => {
    const properties = { 'floe.load': 'x', 'total-records': '1', 'added-dvs': '7', operation: 'replace' }
    const summary = snapshotSummary({ operation: 'append', parent: undefined, added: [file()], properties })
    expect(summary).toMatchObject({ 'floe.load': 'x', 'total-records': '10', operation: 'append' })
    expect(summary).not.toHaveProperty('added-dvs')
  })

  it('tells null from the text null, and values with slashes, in partitions', () => {
    const added = [[null], ['null'], ['a/b'], ['a', 'b']].map((partition) => file({ partition }))
    expect(
      snapshotSummary({ operation: 'append', parent: undefined, added })['changed-partition-count'],
    ).toBe('4')
  })
})
