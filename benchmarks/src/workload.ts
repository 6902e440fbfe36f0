import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { copyInto, fillFlights } from '@floe/datasets'
import { installTpchGenerator } from '@floe/peers'
import type { TestPostgres } from '@floe/testing'

export type Workload = {
  readonly name: string
  readonly table: string
  fill(postgres: TestPostgres): Promise<number>
}

const flights: Workload = {
  name: 'flights',
  table: 'public.flights',
  fill: ({ url }) => fillFlights(url),
}

/** TPC-H lineitem: four decimals, three dates, five short strings, one comment. */
function lineitem(scale: number): Workload {
  return {
    name: `lineitem-sf${scale}`,
    table: 'public.lineitem',
    async fill(postgres) {
      const generator = await installTpchGenerator()
      const folder = mkdtempSync(path.join(tmpdir(), 'floe-tpch-'))
      try {
        const args = [
          'parquet',
          '--scale-factor',
          String(scale),
          '--tables=lineitem',
          `--output-dir=${folder}`,
        ]
        execFileSync(generator, args, { stdio: ['ignore', 2, 2] })
        await postgres.query(lineitemTable)
        const rows = await copyInto(
          postgres.url,
          'public.lineitem',
          `SELECT * FROM '${folder}/lineitem.parquet'`,
        )
        await postgres.query('VACUUM ANALYZE public.lineitem')
        return rows
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

const lineitemTable = `CREATE TABLE public.lineitem (
  l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
  l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)`

/** Flights need npm alone; with a scale the TPC-H table is made, which needs Python. */
export function chooseWorkload(scale: number | undefined): Workload {
  return scale === undefined ? flights : lineitem(scale)
}
