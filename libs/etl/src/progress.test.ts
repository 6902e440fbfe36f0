import { describe, expect, it } from 'vitest'
import { divideMemory, workersWithin } from './memory-budget.ts'
import { estimateLeft } from './progress.ts'

describe('estimateLeft', () => {
  const so = { rows: 250, estimatedRows: 1000, chunksTaken: 3, chunks: 5, seconds: 10 }

  it('goes by the rows that the statistics promise', () => {
    expect(estimateLeft(so)).toEqual({ doneShare: 0.25, secondsLeft: 30 })
  })

  it('goes by chunks when statistics are absent, or older than the rows that have come', () => {
    expect(estimateLeft({ ...so, estimatedRows: 0 })).toEqual({ doneShare: 0.5, secondsLeft: 10 })
    expect(estimateLeft({ ...so, rows: 1200 })).toEqual({ doneShare: 0.5, secondsLeft: 10 })
  })

  it('says nothing when nothing tells, and is never done before the end', () => {
    expect(estimateLeft({ ...so, estimatedRows: 0, chunksTaken: 1, chunks: 1 })).toEqual({})
    expect(estimateLeft({ ...so, estimatedRows: 10_000, rows: 9_999 }).doneShare).toBe(0.99)
  })
})

describe('the memory of a load', () => {
  const MiB = 1024 * 1024
  const tables = [
    { columns: 3, isPartitioned: false, merges: false },
    { columns: 1600, isPartitioned: true, merges: true },
  ]

  it.each([48, 64, 100, 128, 512, 4096])('of %d MiB a worker is never given out twice', (size) => {
    for (const table of tables) {
      const { limits, parts } = divideMemory(size * MiB, table)
      const {
        batchBytesMax,
        batchRowsMax,
        dictionaryBytesMax = 0,
        bufferedBytesMax = 0,
        openFilesMax = 0,
      } = limits
      const uploads = (openFilesMax + (table.merges ? 1 : 0)) * (parts.inFlightPartsMax + 1) * parts.partBytes
      const sum = uploads + dictionaryBytesMax + bufferedBytesMax + 3 * batchBytesMax
      expect(sum).toBeLessThanOrEqual(size * MiB)
      expect(batchRowsMax).toBeGreaterThan(0)
    }
  })

  it('lets fewer workers run where there is no room for all', () => {
    expect(workersWithin(140 * MiB, 8)).toBe(2)
    expect(workersWithin(1024 * MiB, 2)).toBe(2)
    expect(() => workersWithin(10 * MiB, 2)).toThrow(/48 MiB/)
  })
})
