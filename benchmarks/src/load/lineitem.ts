import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { copyInto } from '@floe/datasets'
import { installTpchGenerator } from '@floe/peers'
import type { TestPostgres } from '@floe/testing'

/** Gives `use` the Parquet file of lineitem as TPC-H's generator makes it, the same for each scale; needs Python. */
export async function withLineitemFile<Result>(
  scale: number,
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  const generator = await installTpchGenerator()
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-tpch-'))
  try {
    const size = ['--scale-factor', String(scale)]
    const args = ['parquet', ...size, '--tables=lineitem', `--output-dir=${folder}`]
    execFileSync(generator, args, { stdio: ['ignore', 2, 2] })
    return await use(path.join(folder, 'lineitem.parquet'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes `public.lineitem`. Returns its rows. */
export function fillLineitem(postgres: TestPostgres, scale: number): Promise<number> {
  return withLineitemFile(scale, (file) => fillLineitemFrom(postgres, file))
}

/** The same of a file that is there, in its order. */
export async function fillLineitemFrom(postgres: TestPostgres, file: string): Promise<number> {
  await postgres.query(lineitemTable)
  const rows = await copyInto(postgres.url, 'public.lineitem', `SELECT * FROM '${file}'`)
  await postgres.query('VACUUM ANALYZE public.lineitem')
  return rows
}

const lineitemTable = `CREATE TABLE public.lineitem (
  l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber integer NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
  l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)`
