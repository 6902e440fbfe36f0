import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Client } from 'pg'
import { copyInto } from './copy-into.ts'

/** A file of the npm package `vega-datasets`. */
function vegaFile(name: string): string {
  // The package exports its scripts alone: its folder is looked for in the places that `require` would look.
  const folders = createRequire(import.meta.url).resolve.paths('vega-datasets') ?? []
  const file = folders
    .map((folder) => path.join(folder, 'vega-datasets', 'data', name))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) throw new Error(`the npm package vega-datasets has no data/${name}: run npm ci`)
  return file
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** 3,000,000 US flights of the first half of 2001: `public.flights`. */
export async function fillFlights(url: string): Promise<number> {
  await run(
    url,
    `DROP TABLE IF EXISTS public.flights;
     CREATE TABLE public.flights (
       departed_at timestamp, delay integer, distance integer, origin varchar(3), destination varchar(3));
     COMMENT ON TABLE public.flights IS 'US flights of the first half of 2001';
     COMMENT ON COLUMN public.flights.departed_at IS 'scheduled departure, local time';
     COMMENT ON COLUMN public.flights.delay IS 'minutes of delay at arrival, negative when early';
     COMMENT ON COLUMN public.flights.distance IS 'miles between the airports';
     COMMENT ON COLUMN public.flights.origin IS 'IATA code of the airport of departure';
     COMMENT ON COLUMN public.flights.destination IS 'IATA code of the airport of arrival'`,
  )
  const rows = await copyInto(url, 'public.flights', `SELECT * FROM '${vegaFile('flights-3m.parquet')}'`)
  await run(url, 'ANALYZE public.flights')
  return rows
}

/** 3,376 US airports: `public.airports`. */
export async function fillAirports(url: string): Promise<number> {
  await run(
    url,
    `DROP TABLE IF EXISTS public.airports;
     CREATE TABLE public.airports (
       iata varchar(4) PRIMARY KEY, name text NOT NULL, city text, state text, country text NOT NULL,
       latitude double precision NOT NULL, longitude double precision NOT NULL);
     COMMENT ON TABLE public.airports IS 'Airports of the United States'`,
  )
  return copyInto(
    url,
    'public.airports',
    `SELECT * FROM read_csv('${vegaFile('airports.csv')}', nullstr = 'NA')`,
  )
}

/** Years of daily weather in Seattle, as a batch that is replaced each time: `public.weather`. */
export async function fillWeather(
  url: string,
  years: { readonly from: number; readonly to: number },
): Promise<number> {
  await run(
    url,
    `CREATE TABLE IF NOT EXISTS public.weather (
       day date PRIMARY KEY, precipitation double precision NOT NULL, temp_max double precision NOT NULL,
       temp_min double precision NOT NULL, wind double precision NOT NULL, weather text NOT NULL);
     COMMENT ON TABLE public.weather IS 'Daily weather in Seattle: the latest batch';
     TRUNCATE public.weather`,
  )
  const columns = 'day, precipitation, temp_max, temp_min, wind, weather'
  const source = `read_csv('${vegaFile('seattle-weather.csv')}')`
  return copyInto(
    url,
    `public.weather (${columns})`,
    `SELECT * FROM ${source} WHERE year(date) BETWEEN ${years.from} AND ${years.to} ORDER BY date`,
  )
}
