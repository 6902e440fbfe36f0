import { fileURLToPath } from 'node:url'
import { installPyIceberg, startLineProcess } from '@floe/peers'
import type { LineProcess } from '@floe/peers'
import {
  applyTableUpdates,
  newTableMetadata,
  parseJson,
  serializeTableMetadata,
  stringifyJson,
  tableUpdateToJson,
} from '@floe/iceberg'
import type { JsonObject, JsonValue, TableMetadata, TableUpdate } from '@floe/iceberg'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawChange } from './metadata-commits.ts'
import type { Draw } from './metadata-commits.ts'
import { withoutAllowedDifferences } from './pyiceberg-differences.ts'

/** Random legal histories of a table, applied by libs/iceberg and by PyIceberg's own functions. */
const runs = Number(process.env['FLOE_PROPERTY_RUNS'] ?? 60)
const seed = Number(process.env['FLOE_PROPERTY_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))

let peer: LineProcess

beforeAll(async () => {
  process.stderr.write(`metadata updates: FLOE_PROPERTY_SEED=${seed} FLOE_PROPERTY_RUNS=${runs}\n`)
  const script = fileURLToPath(new URL('../python/apply_updates.py', import.meta.url))
  peer = startLineProcess(await installPyIceberg(), [script])
})
afterAll(() => peer[Symbol.asyncDispose]())

async function askPeer(request: JsonObject): Promise<JsonObject> {
  const answer = (await peer.ask(request)) as { metadata?: string; error?: string }
  if (answer.metadata === undefined) throw new Error(`PyIceberg: ${answer.error}`)
  return parseJson(answer.metadata) as JsonObject
}

const startMs = 1_700_000_000_000

function newTable(formatVersion: 1 | 2 | 3): TableMetadata {
  const fields = [
    { id: 1, name: 'id', type: { kind: 'long' }, required: true },
    { id: 2, name: 'name', type: { kind: 'string' }, required: false },
    { id: 3, name: 'at', type: { kind: 'timestamptz' }, required: false },
  ] as const
  return newTableMetadata({
    schema: { schemaId: 0, fields, identifierFieldIds: [1] },
    location: 's3://bucket/t',
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    nowMs: startMs,
    formatVersion,
  })
}

type Commit = {
  readonly base: TableMetadata
  readonly updates: readonly TableUpdate[]
  readonly nowMs: number
  readonly previous: string
  readonly result: TableMetadata
}

/** Commits of one to three changes each, every one made for the table that those before it left. */
function commitsOf(formatVersion: 1 | 2 | 3, choices: readonly (readonly number[])[]): readonly Commit[] {
  const commits: Commit[] = []
  let base = newTable(formatVersion)
  for (const [at, numbers] of choices.entries()) {
    const nowMs = startMs + 1000 * (at + 1)
    const previous = `s3://bucket/t/metadata/${at}.metadata.json`
    const updates = drawUpdates(base, drawFrom(numbers), nowMs)
    const options = { nowMs, previousMetadataLocation: previous }
    const result = applyTableUpdates(base, updates, options)
    commits.push({ base, updates, nowMs, previous, result })
    base = result
  }
  return commits
}

function drawUpdates(base: TableMetadata, draw: Draw, nowMs: number): readonly TableUpdate[] {
  let updates: readonly TableUpdate[] = []
  let table = base
  for (let left = draw(3); left >= 0; left--) {
    updates = [...updates, ...drawChange(table, draw, nowMs)]
    // What a change may be depends on those before it in the same commit.
    table = applyTableUpdates(base, updates, { nowMs })
  }
  return updates
}

function drawFrom(numbers: readonly number[]): Draw {
  let at = 0
  return (count) => (numbers[at++] ?? 0) % count
}

const histories = fc.record({
  formatVersion: fc.constantFrom<1 | 2 | 3>(2, 1, 3),
  choices: fc.array(fc.array(fc.nat(1_000_000), { minLength: 30, maxLength: 30 }), {
    minLength: 1,
    maxLength: 10,
  }),
})

/** Members as they are, without those that say nothing: nulls, and the -1 and empty lists that stand for nothing. */
function canonical(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(canonical)
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json as JsonObject).filter(
    ([key, value]) =>
      value !== null &&
      !(key === 'current-snapshot-id' && value === -1) &&
      !(key === 'identifier-field-ids' && Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(entries.map(([key, value]) => [key, canonical(value)]))
}

function floeForm(table: TableMetadata): JsonObject {
  return canonical(parseJson(serializeTableMetadata(table))) as JsonObject
}

describe('updates of table metadata', () => {
  it('give what PyIceberg makes of them', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ({ formatVersion, choices }) => {
        for (const { base, updates, nowMs, previous, result } of commitsOf(formatVersion, choices)) {
          const applied = await askPeer({
            base: serializeTableMetadata(base),
            updates: stringifyJson(updates.map(tableUpdateToJson)),
            'now-ms': nowMs,
            previous,
          })
          const floe = floeForm(result)
          const commit = { base: floeForm(base), updates, floe, peer: canonical(applied) as JsonObject }
          expect(withoutAllowedDifferences(commit)).toEqual(floe)
        }
      }),
      { seed, numRuns: runs },
    )
  })

  it('give metadata that PyIceberg reads and writes again without a change', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ({ formatVersion, choices }) => {
        for (const { result } of commitsOf(formatVersion, choices).slice(-1)) {
          const read = await askPeer({ read: serializeTableMetadata(result) })
          const floe = floeForm(result)
          const commit = { base: floe, updates: [], floe, peer: canonical(read) as JsonObject }
          expect(withoutAllowedDifferences(commit)).toEqual(floe)
        }
      }),
      { seed, numRuns: runs },
    )
  })
})
