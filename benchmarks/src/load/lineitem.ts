import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { copyInto } from '@floe/datasets'
import { installTpchGenerator } from '@floe/peers'
import type { TestPostgres } from '@floe/testing'

/** Makes `public.lineitem` with the rows of TPC-H's generator, in their order; needs Python. Returns how many there are. */
export async function fillLineitem(postgres: TestPostgres, scale: number): Promise<number> {
  const generator = await installTpchGenerator()
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-tpch-'))
  try {
    const size = ['--scale-factor', String(scale)]
    const args = ['parquet', ...size, '--tables=lineitem', `--output-dir=${folder}`]
    execFileSync(generator, args, { stdio: ['ignore', 2, 2] })
    await postgres.query(lineitemTable)
    const file = path.join(folder, 'lineitem.parquet')
    const rows = await copyInto(postgres.url, 'public.lineitem', `SELECT * FROM '${file}'`)
    await postgres.query('VACUUM ANALYZE public.lineitem')
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const lineitemTable = `CREATE TABLE public.lineitem (
  l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
  l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)`
