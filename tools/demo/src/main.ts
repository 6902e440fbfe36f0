import path from 'node:path'
import { fillAirports, fillFlights, fillSocial, fillWeather } from '@floe/datasets'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { checkout, readFloe, runFloe } from './run-floe.ts'

/** The first ten minutes: a real database, loaded, queried, changed, looked at in the past, and asked. */
async function main(): Promise<void> {
  step('Starting an embedded PostgreSQL')
  const dataDirectory = path.join(checkout, '.floe', 'postgres')
  await using postgres = await startPostgres({ dataDirectory, persistent: true })
  note(`PostgreSQL is on port ${postgres.port}, its data in ${postgres.dataDirectory}`)
  await fillSource(postgres)
  await loadEverything(postgres.url)
  await query()
  await appendChange(postgres)
  await runFloe(['ask', 'which 5 origins have the most flights?'])
  step('Done. The tables stay in .floe; try: npx floe table list')
}

async function fillSource(postgres: TestPostgres): Promise<void> {
  step('Filling it with real data (npm vega-datasets) and the social schema')
  const [filled] = await postgres.query<{ done: boolean }>(
    `SELECT to_regclass('public.demo_filled') IS NOT NULL AS done`,
  )
  if (filled?.done === true) {
    note('it is filled already')
    return
  }
  note(`flights: ${(await fillFlights(postgres.url)).toLocaleString('en-US')} rows`)
  note(`airports: ${(await fillAirports(postgres.url)).toLocaleString('en-US')} rows`)
  await fillSocial(postgres.url)
  note('social: users, posts, follows, likes')
  await postgres.query('CREATE TABLE public.demo_filled ()')
}

async function loadEverything(url: string): Promise<void> {
  step('Loading PostgreSQL into Iceberg tables under .floe')
  const load = ['load', '--from', url, '--mode', 'replace']
  await runFloe([...load, '--table', 'public.flights', '--table', 'public.airports', '--to', 'travel'])
  await runFloe([...load, '--table', 'social.*', '--to', 'social'])
}

async function query(): Promise<void> {
  step('Querying: DuckDB over the files that pruning leaves')
  await runFloe([
    'sql',
    `SELECT a.state, count(*) AS flights, round(avg(f.delay), 1) AS delay
     FROM travel.flights f JOIN travel.airports a ON a.iata = f.origin
     WHERE f.departed_at >= TIMESTAMP '2001-06-01' GROUP BY ALL ORDER BY flights DESC LIMIT 5`,
    '--explain-pruning',
  ])
}

async function appendChange(postgres: TestPostgres): Promise<void> {
  step('A change whose source has gained a column')
  await postgres.query('DROP TABLE IF EXISTS public.weather')
  await fillWeather(postgres.url, { from: 2012, to: 2014 })
  const load = ['load', '--from', postgres.url, '--table', 'public.weather', '--to', 'travel', '--mode']
  await runFloe([...load, 'replace'])
  const snapshotId = await currentSnapshotId()
  note('the source gains a column, and holds the batch of the next year')
  await postgres.query('ALTER TABLE public.weather ADD COLUMN temp_mean double precision')
  await fillWeather(postgres.url, { from: 2015, to: 2015 })
  await postgres.query('UPDATE public.weather SET temp_mean = (temp_min + temp_max) / 2')
  await runFloe([...load, 'append'])
  step('Both snapshots, and a query of the past')
  await runFloe(['table', 'snapshots', 'travel.weather'])
  const summary = 'count(*) AS days, max(day) AS last_day'
  await runFloe(['sql', `SELECT ${summary}, count(temp_mean) AS with_mean FROM travel.weather`])
  await runFloe(['sql', `SELECT ${summary} FROM travel.weather AT (VERSION => ${snapshotId})`])
}

async function currentSnapshotId(): Promise<string> {
  const listed = await readFloe(['table', 'snapshots', 'travel.weather', '--output', 'csv'])
  const newest = listed.trim().split('\n').at(-1) ?? ''
  const id = newest.split(',')[1]
  if (id === undefined || !/^\d+$/.test(id)) throw new Error(`no snapshot id in: ${newest}`)
  return id
}

function step(text: string): void {
  process.stdout.write(`\n== ${text}\n`)
}

function note(text: string): void {
  process.stderr.write(`   ${text}\n`)
}

await main()
