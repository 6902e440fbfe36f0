import { FloeError } from '@floe/iceberg'
import { describe, expect, it } from 'vitest'
import { ask } from './ask.ts'
import type { Answer } from './answer.ts'
import { directoryOf, openGoldenRunner } from './golden/duckdb-runner.ts'
import { flightSetup, flightTables, socialSetup, socialTables } from './golden/golden-tables.ts'
import { createRulesProvider } from './rules/rules-provider.ts'
import type { SqlRunner } from './sql-runner.ts'
import type { TableDescription } from './table-directory.ts'

const clock = { now: () => Date.UTC(2024, 6, 15) }

async function askOver(
  tables: readonly TableDescription[],
  setup: string,
  question: string,
): Promise<Answer> {
  await using runner = await openGoldenRunner(setup, tables)
  return await ask(question, {
    directory: directoryOf(tables),
    runner,
    provider: createRulesProvider(),
    clock,
  })
}

describe('ask', () => {
  it('carries the snapshots exactly as the runner reports them', async () => {
    const answer = await askOver(flightTables, flightSetup, 'how many flights')
    expect(answer).toMatchObject({ references: [{ table: 'demo.flights', snapshotId: 9007199254740993n }] })
    const joined = await askOver(socialTables, socialSetup, 'posts per country')
    if (joined.kind !== 'answer') expect.fail(joined.text)
    expect(joined.references.map(({ table, snapshotId }) => [table, snapshotId])).toEqual([
      ['social.users', 21n],
      ['social.posts', 22n],
    ])
  })

  it('tells a single value in a sentence and what the rows are otherwise', async () => {
    const texts = {
      'how many flights from SFO': 'The number of flights where origin is SFO is 4.',
      'average delay': 'The average delay of flights is 32.8571.',
      'average delay by origin': 'Average delay of flights by origin, highest first: 4 rows.',
      'which origin has the most flights': 'Origin SFO comes first: the highest number of flights is 4.',
      'flights with delay over 1000': 'Nothing matches: flights where delay is over 1000.',
      'max delay in 2030':
        'The highest delay of flights where date is in 2030 is not known, because no value matches.',
    }
    for (const [question, text] of Object.entries(texts)) {
      expect((await askOver(flightTables, flightSetup, question)).text).toBe(text)
    }
  })

  it('lists tables and columns from their descriptions', async () => {
    const tables = await askOver(socialTables, socialSetup, 'Which tables are there?')
    expect(tables).toMatchObject({ kind: 'answer', references: [] })
    if (tables.kind !== 'answer') return
    expect(tables.rows.map(([name, rows]) => [name, rows])).toEqual([
      ['social.follows', 3n],
      ['social.likes', 4n],
      ['social.posts', 6n],
      ['social.users', 4n],
    ])
    for (const question of ['what columns does users have', 'describe social.users', 'columns of users']) {
      const columns = await askOver(socialTables, socialSetup, question)
      if (columns.kind !== 'answer') expect.fail(columns.text)
      expect(columns.rows.map((row) => row.slice(1))).toContainEqual([
        'country',
        'string',
        false,
        'Country of residence',
      ])
      expect(columns.rows).toHaveLength(8)
    }
  })

  it('offers examples that it can answer', async () => {
    const help = await askOver(socialTables, socialSetup, 'help')
    if (help.kind !== 'clarification') expect.fail(help.kind)
    for (const choice of help.choices)
      expect(await askOver(socialTables, socialSetup, choice), choice).toMatchObject({ kind: 'answer' })
  })

  it('finds values by any spelling, and quotes them', async () => {
    const answer = await askOver(socialTables, socialSetup, `posts with title "IT'S LATE"`)
    expect(answer).toMatchObject({
      kind: 'answer',
      sql: `SELECT * FROM "social"."posts" WHERE "title" = 'It''s late' LIMIT 100`,
    })
    const attack = await askOver(socialTables, socialSetup, `users where country is "x' OR 1=1 --"`)
    expect(attack).toMatchObject({ kind: 'answer', rows: [] })
  })

  it('asks which table when two fit equally', async () => {
    const [flights] = flightTables
    if (flights === undefined) return
    const twins = [flights, { ...flights, name: 'other.flights' }]
    const setup = `${flightSetup} CREATE SCHEMA other; CREATE TABLE other.flights AS FROM demo.flights LIMIT 2;`
    const answer = await askOver(twins, setup, 'how many flights?')
    expect(answer).toMatchObject({
      kind: 'clarification',
      choices: ['how many flights in demo.flights', 'how many flights in other.flights'],
    })
    expect(await askOver(twins, setup, 'how many flights in other.flights')).toMatchObject({ rows: [[2n]] })
  })

  it('says so when there is no table yet', async () => {
    expect(await askOver([], '', 'how many flights')).toMatchObject({ kind: 'cannot', reason: 'no-tables' })
  })

  it('refuses an empty and an overlong question', async () => {
    await expect(askOver(flightTables, flightSetup, '  ')).rejects.toMatchObject({ code: 'invalid-input' })
    await expect(askOver(flightTables, flightSetup, 'x'.repeat(2001))).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })

  it('keeps no more rows than asked for, and stops when it is told to', async () => {
    await using runner = await openGoldenRunner(flightSetup, flightTables)
    const components = {
      directory: directoryOf(flightTables),
      runner,
      provider: createRulesProvider(),
      clock,
    }
    const answer = await ask('flights', components, { rowsMax: 3 })
    expect(answer.kind === 'answer' && answer.rows.length).toBe(3)
    await expect(ask('flights', components, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })

  it('passes on what the runner throws', async () => {
    const runner: SqlRunner = {
      checkSelect: () => Promise.resolve(),
      run: () => Promise.reject(new FloeError('unavailable', 'the store is away')),
    }
    const components = {
      directory: directoryOf(flightTables),
      runner,
      provider: createRulesProvider(),
      clock,
    }
    await expect(ask('how many flights', components)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
