import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { floeOutput, startFloeServer } from './floe-process.ts'
import type { FloeServer } from './floe-process.ts'
import { parseRows, runPython } from './python.ts'

/** A table that PyIceberg created, appended to, evolved and appended to again, through Floe's REST catalog. */
let folder: string
let server: FloeServer
let snapshots: readonly string[]

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-interop-'))
  server = await startFloeServer('catalog', folder)
  snapshots = (await runPython('write_table.py', [server.url, 'peer.things'])).trim().split(' ')
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function sql(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const output = await floeOutput(['sql', query, '--output', 'ndjson', '--catalog', server.url], folder)
  return parseRows(output)
}

async function peerRows(args: readonly string[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const rows = parseRows(await runPython('read_table.py', [server.url, 'peer.things', ...args]))
  return rows.toSorted((left, right) => Number(left['id']) - Number(right['id']))
}

/** The columns of the table as text, in the form that read_table.py prints. */
const asText = [
  'id::VARCHAR AS id',
  'flag::VARCHAR AS flag',
  'small::VARCHAR AS small',
  'price::VARCHAR AS price',
  'day::VARCHAR AS day',
  'clock::VARCHAR AS clock',
  `strftime("local", '%Y-%m-%dT%H:%M:%S.%f') AS "local"`,
  `strftime("at" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%f') AS "at"`,
  'title',
  'lower(hex(raw)) AS raw',
  'note',
].join(', ')

const comparedColumns = [
  'id',
  'flag',
  'small',
  'price',
  'day',
  'clock',
  'local',
  'at',
  'title',
  'raw',
  'note',
]

function compared(
  rows: readonly Readonly<Record<string, unknown>>[],
): readonly Readonly<Record<string, unknown>>[] {
  return rows.map((row) => Object.fromEntries(comparedColumns.map((name) => [name, row[name] ?? null])))
}

describe('a table written by PyIceberg', () => {
  it('has the same rows in Floe as in PyIceberg, across the renames between its two appends', async () => {
    const floe = await sql(`SELECT ${asText} FROM peer.things ORDER BY things.id`)
    expect(floe).toHaveLength(30)
    expect(compared(floe)).toEqual(compared(await peerRows()))
  })

  it('keeps nested values under the names they have now', async () => {
    const floe = await sql(
      `SELECT id, tags, place.town AS town, place.zip AS zip FROM peer.things ORDER BY id`,
    )
    const peer = await peerRows()
    expect(floe.map(({ tags }) => tags)).toEqual(peer.map(({ tags }) => tags))
    const places = peer.map(({ place }) => place as { town: string; zip: string } | null)
    expect(floe.map(({ town }) => town)).toEqual(places.map((place) => place?.town ?? null))
  })

  it('reads its first snapshot as it was', async () => {
    const [first = ''] = snapshots
    const floe = await sql(
      `SELECT count(*)::INTEGER AS rows, max(id)::INTEGER AS last FROM peer.things AT (VERSION => ${first})`,
    )
    expect(floe).toEqual([{ rows: 20, last: 20 }])
    expect(await peerRows([first])).toHaveLength(20)
  })

  it('is pruned by its day and bucket partitions, and gives what an unpruned read gives', async () => {
    const where = `"at" >= TIMESTAMPTZ '1970-01-05 00:00:00+00' AND id = 17`
    const pruned = await sql(`SELECT id FROM peer.things WHERE ${where}`)
    expect(pruned).toEqual([{ id: 17 }])
    const before = await sql(
      `SELECT id::INTEGER AS id FROM peer.things WHERE "at" < TIMESTAMPTZ '1970-01-01 00:00:00+00' ORDER BY id`,
    )
    const expected = (await peerRows()).filter(({ at }) => String(at) < '1970').map(({ id }) => Number(id))
    expect(before.map(({ id }) => id)).toEqual(expected)
  })
})
