import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FloeError } from '@floe/iceberg'
import type { DataFile } from '@floe/iceberg'
import { batchBytes } from '@floe/parquet'
import { FileRoller } from './file-roller.ts'
import type { FileRollerComponents } from './file-roller.ts'
import { PartitionFanOut } from './partition-fan-out.ts'
import type { FanOutSettings } from './partition-fan-out.ts'
import { openLake, ordersSchema } from './testing/open-lake.ts'
import type { Lake } from './testing/open-lake.ts'
import { batchOfOrders, byId, partitionedByNote, readOrders, scribble } from './testing/rows.ts'
import type { Order } from './testing/rows.ts'
import { parseWriteSettings } from './write-settings.ts'

let lake: Lake
let opened: string[]
beforeEach(async () => {
  lake = await openLake()
  opened = []
})
afterEach(() => lake[Symbol.asyncDispose]())

function components(changes: Partial<FileRollerComponents> = {}): FileRollerComponents {
  let milliseconds = 0
  let files = 0
  return {
    store: lake.store,
    clock: { now: () => (milliseconds += 1) },
    nextFileName: () => `f${files++}.parquet`,
    onFileOpened: (location) => opened.push(location),
    ...changes,
  }
}

function settings(properties: Readonly<Record<string, string>> = {}): Omit<FanOutSettings, 'spec'> {
  const write = parseWriteSettings(properties)
  const location = { tableLocation: `file://${lake.folder}/warehouse/orders`, settings: write }
  return { schema: ordersSchema, fileSchema: ordersSchema, location, write }
}

function fanOut(changes: Partial<FanOutSettings> = {}): PartitionFanOut {
  return new PartitionFanOut({ ...settings(), spec: partitionedByNote, ...changes }, components())
}

function orders(count: number, notes: number, from = 0): readonly Order[] {
  return Array.from({ length: count }, (_, index) => {
    const id = from + index
    return { id: BigInt(id), note: id % notes === 0 ? null : `note ${id % notes}` }
  })
}

async function assertHolds(files: readonly DataFile[], rows: readonly Order[]): Promise<void> {
  expect([...(await readOrders(files, lake.store))].toSorted(byId)).toEqual([...rows].toSorted(byId))
  expect(files.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(rows.length)
}

describe('PartitionFanOut', () => {
  it('writes every row once, into files that hold one partition each', async () => {
    const writer = fanOut()
    for (let start = 0; start < 900; start += 300) await writer.write(batchOfOrders(orders(300, 5, start)))
    const files = await writer.finish()
    await assertHolds(files, orders(900, 5))
    expect(files).toHaveLength(5)
    for (const file of files) {
      const notes = new Set((await readOrders([file], lake.store)).map(({ note }) => note))
      expect([...notes]).toEqual(file.partition)
      expect(file.filePath).toContain(
        file.partition[0] === null
          ? '/data/note=null/'
          : `/data/note=note+${String(file.partition[0]).at(-1)}/`,
      )
    }
    expect(opened.toSorted()).toEqual(files.map(({ filePath }) => filePath).toSorted())
    expect(writer.stats.encodedBytes).toBe(
      files.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0),
    )
  })

  it('keeps waiting rows as they were when the producer fills its buffers again', async () => {
    const writer = fanOut()
    for (let start = 0; start < 1000; start += 100) {
      const batch = batchOfOrders(orders(100, 7, start))
      await writer.write(batch)
      scribble(batch)
    }
    await assertHolds(await writer.finish(), orders(1000, 7))
  })

  it('writes an unpartitioned table as the batches come', async () => {
    const writer = fanOut({ spec: { specId: 0, fields: [] } })
    const batch = batchOfOrders(orders(100, 3))
    await writer.write(batch)
    scribble(batch)
    const files = await writer.finish()
    expect(files).toMatchObject([{ recordCount: 100, partition: [] }])
    await assertHolds(files, orders(100, 3))
  })

  it('cuts batches at the limits of a row group, and files at the target size between them', async () => {
    const groups = async (properties: Readonly<Record<string, string>>): Promise<readonly number[]> => {
      const writer = fanOut({ ...settings(properties), spec: { specId: 0, fields: [] } })
      await writer.write(batchOfOrders(orders(1000, 3)))
      const files = await writer.finish()
      await assertHolds(files, orders(1000, 3))
      return files.map(({ splitOffsets }) => splitOffsets?.length ?? 0)
    }
    expect(await groups({})).toEqual([1])
    expect(await groups({ 'write.parquet.row-group-limit': '300' })).toEqual([4])
    const [small = 0] = await groups({ 'write.parquet.row-group-size-bytes': '1000' })
    expect(small).toBeGreaterThan(8)
    const tiny = { 'write.parquet.row-group-limit': '10', 'write.target-file-size-bytes': '1' }
    expect(await groups(tiny)).toHaveLength(100)
  })

  it('has no more files open than its limit, and finishes the one written longest ago', async () => {
    // Without a memory budget every batch is written at once.
    const writer = fanOut({ openFilesMax: 2, bufferedBytesMax: 0 })
    for (const note of ['a', 'b', 'c', 'b', 'a'])
      await writer.write(batchOfOrders([{ id: BigInt(opened.length), note }]))
    // `a` was finished for `c`, then `c` for the second `a`; `b` stayed open.
    expect(opened.map((location) => location.split('/').slice(-2).join('/'))).toEqual([
      'note=a/f0.parquet',
      'note=b/f1.parquet',
      'note=c/f2.parquet',
      'note=a/f3.parquet',
    ])
    expect(await lake.names('.parquet')).toHaveLength(2)
    const files = await writer.finish()
    expect(files.map(({ recordCount }) => recordCount).toSorted((left, right) => left - right)).toEqual([
      1, 1, 1, 2,
    ])
  })

  it('holds rows back until they pass the memory budget, and then writes the largest partition first', async () => {
    const many = Array.from({ length: 50 }, (_, id): Order => ({ id: BigInt(id), note: 'many' }))
    const few: readonly Order[] = [{ id: 100n, note: 'few' }]
    // Each partition's part of the dictionary is rounded up.
    const bytes = batchBytes(batchOfOrders([...few, ...many])) + 2
    const writer = fanOut({ bufferedBytesMax: bytes })
    await writer.write(batchOfOrders([...few, ...many]))
    expect(opened).toEqual([])
    await writer.write(batchOfOrders(few))
    expect(opened.map((location) => location.split('/').at(-2))).toEqual(['note=many'])
    const files = await writer.finish()
    await assertHolds(files, [...few, ...few, ...many])
    // Rows of both batches in one row group.
    expect(files.find(({ recordCount }) => recordCount === 2)?.splitOffsets).toHaveLength(1)
  })

  it('counts a dictionary that many partitions share once', async () => {
    const rows = orders(400, 200)
    const writer = fanOut({ bufferedBytesMax: batchBytes(batchOfOrders(rows)) + 2 * 200 })
    await writer.write(batchOfOrders(rows))
    expect(opened).toEqual([])
    await writer.abort()
  })

  it('leaves no open file behind when it is aborted', async () => {
    const writer = fanOut({ bufferedBytesMax: 0 })
    await writer.write(batchOfOrders(orders(100, 5)))
    expect(opened).toHaveLength(5)
    await writer.abort()
    expect(await Array.fromAsync(lake.store.list(`file://${lake.folder}/warehouse/`))).toEqual([])
  })
})

describe('FileRoller', () => {
  function roller(
    properties: Readonly<Record<string, string>>,
    changes: Partial<FileRollerComponents> = {},
  ): FileRoller {
    const spec = { specId: 0, fields: [] }
    return new FileRoller({ ...settings(properties), spec, partition: [] }, components(changes))
  }

  /** Notes that no codec makes small. */
  function incompressible(count: number, from: number): readonly Order[] {
    return Array.from({ length: count }, (_, index) => {
      const id = BigInt(from + index)
      return {
        id,
        note: BigInt.asUintN(256, (id + 1n) ** 40n * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(36),
      }
    })
  }

  it('begins a new file once the compressed bytes reach the target', async () => {
    const small = roller({ 'write.target-file-size-bytes': '8000' })
    for (let start = 0; start < 500; start += 100)
      await small.write(batchOfOrders(incompressible(100, start)))
    const files = await small.finish()
    expect(files.length).toBeGreaterThan(1)
    for (const { fileSizeInBytes, splitOffsets } of files.slice(0, -1)) {
      expect(fileSizeInBytes).toBeGreaterThanOrEqual(8000)
      // The row group before the last one had not reached it.
      expect(splitOffsets?.at(-1)).toBeLessThan(8000)
    }
    await assertHolds(files, incompressible(500, 0))

    // Many times the target in memory, far below it on disk.
    const repeated = Array.from({ length: 2000 }, (_, id): Order => ({
      id: BigInt(id % 2),
      note: 'the same note',
    }))
    const shrunk = roller({ 'write.target-file-size-bytes': '8000' })
    for (let batch = 0; batch < 5; batch++) await shrunk.write(batchOfOrders(repeated))
    expect(await shrunk.finish()).toMatchObject([{ recordCount: 10_000 }])
  })

  it('describes each file as it is on the disk', async () => {
    const writer = roller({})
    await writer.write(batchOfOrders(orders(10, 3)))
    await writer.write(batchOfOrders([]))
    await writer.write(batchOfOrders(orders(10, 3, 10)))
    const [file] = await writer.finish()
    const bytes = await lake.store.get(file?.filePath ?? '')
    expect(file).toMatchObject({
      content: 'data',
      fileFormat: 'parquet',
      specId: 0,
      recordCount: 20,
      fileSizeInBytes: bytes.length,
    })
    expect(file?.nullValueCounts?.get(2)).toBe(7)
    expect(file?.splitOffsets).toHaveLength(2)
  })

  it('makes no file of nothing', async () => {
    const writer = roller({})
    await writer.write(batchOfOrders([]))
    expect(await writer.finish()).toEqual([])
    expect(opened).toEqual([])
  })

  it('leaves nothing behind when it is aborted, and complete files where they are', async () => {
    const writer = roller({ 'write.target-file-size-bytes': '1' })
    await writer.write(batchOfOrders(orders(10, 3)))
    expect(writer.isOpen).toBe(false)
    const next = roller({}, { nextFileName: () => 'open.parquet' })
    await next.write(batchOfOrders(orders(10, 3)))
    await writer.abort()
    await next.abort()
    expect(await lake.names('')).toEqual(['f0.parquet'])
  })

  it('names a file before its first byte is written', async () => {
    const store = {
      ...lake.store,
      openUpload: () => Promise.reject(new FloeError('unavailable', 'injected')),
    }
    const writer = roller({}, { store })
    await expect(writer.write(batchOfOrders(orders(1, 1)))).rejects.toMatchObject({ code: 'unavailable' })
    expect(opened).toHaveLength(1)
    await writer.abort()
  })

  it('stops with the signal', async () => {
    const stop = new AbortController()
    const writer = roller({}, { signal: stop.signal })
    await writer.write(batchOfOrders(orders(10, 3)))
    stop.abort()
    await expect(writer.write(batchOfOrders(orders(10, 3)))).rejects.toMatchObject({ code: 'cancelled' })
    await writer.abort()
    expect(await lake.names('')).toEqual([])
  })
})
