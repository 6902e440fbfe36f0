import { installDuckDbExtensions } from '@floe/peers'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { QueryWorkload, WorkloadQuery } from './query-workload.ts'

const streamedRows = 5_000_000

/** Columns as the specification of TPC-H has them; keys are bigint, as in DuckDB's own tables. */
const tables: Readonly<Record<string, string>> = {
  lineitem: `l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber bigint, l_quantity numeric(15,2),
    l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag varchar, l_linestatus varchar,
    l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct varchar, l_shipmode varchar, l_comment varchar`,
  orders: `o_orderkey bigint, o_custkey bigint, o_orderstatus varchar, o_totalprice numeric(15,2), o_orderdate date,
    o_orderpriority varchar, o_clerk varchar, o_shippriority integer, o_comment varchar`,
  partsupp: `ps_partkey bigint, ps_suppkey bigint, ps_availqty bigint, ps_supplycost numeric(15,2), ps_comment varchar`,
  part: `p_partkey bigint, p_name varchar, p_mfgr varchar, p_brand varchar, p_type varchar, p_size integer,
    p_container varchar, p_retailprice numeric(15,2), p_comment varchar`,
  customer: `c_custkey bigint, c_name varchar, c_address varchar, c_nationkey integer, c_phone varchar,
    c_acctbal numeric(15,2), c_mktsegment varchar, c_comment varchar`,
  supplier: `s_suppkey bigint, s_name varchar, s_address varchar, s_nationkey integer, s_phone varchar,
    s_acctbal numeric(15,2), s_comment varchar`,
  nation: `n_nationkey integer, n_name varchar, n_regionkey integer, n_comment varchar`,
  region: `r_regionkey integer, r_name varchar, r_comment varchar`,
}

/** TPC-H: rows (written to `folder`), queries and answers of DuckDB's extension. Needs Python to install it. */
export async function tpchWorkload(scale: number, folder: string): Promise<QueryWorkload> {
  await withTpch(async (connection) => {
    await connection.run(`CALL dbgen(sf = ${scale})`)
    for (const name of Object.keys(tables))
      await connection.run(`COPY ${name} TO '${folder}/${name}.parquet' (FORMAT parquet)`)
  })
  return { ...(await tpchQueries(scale)), tables: tablesIn(folder) }
}

async function withTpch<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
  const [extension] = await installDuckDbExtensions(['tpch'])
  const instance = await DuckDBInstance.create()
  try {
    const connection = await instance.connect()
    await connection.run(`LOAD '${extension}'`)
    return await work(connection)
  } finally {
    instance.closeSync()
  }
}

function tablesIn(folder: string): QueryWorkload['tables'] {
  return Object.entries(tables).map(([name, columns]) => ({
    name,
    columns,
    rows: `SELECT * FROM '${folder}/${name}.parquet'`,
  }))
}

/** The workload without rows, for tables that are there already. */
export async function tpchQueries(scale: number): Promise<QueryWorkload> {
  return {
    name: `tpch-sf${scale}`,
    tables: tablesIn(''),
    queries: await readQueries(scale),
    large: { table: 'lineitem', scans: lineitemScans, streamedRows },
  }
}

const lineitemScans: QueryWorkload['large']['scans'] = [
  { name: 'one column', select: 'SELECT sum(l_extendedprice)' },
  {
    name: 'four columns',
    select: 'SELECT sum(l_quantity), sum(l_extendedprice), max(l_shipdate), max(l_shipmode)',
  },
  {
    name: 'all columns',
    select: `SELECT ${(tables['lineitem'] ?? '')
      .split(/, (?=l_)|,\s+(?=l_)/)
      .map((column) => `max(${column.trim().split(' ')[0]})`)
      .join(', ')}`,
  },
]

function readQueries(scale: number): Promise<readonly WorkloadQuery[]> {
  return withTpch(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT query_nr, query, answer FROM tpch_queries()
       LEFT JOIN (SELECT * FROM tpch_answers() WHERE scale_factor = ${scale}) USING (query_nr) ORDER BY query_nr`,
    )
    return reader.getRows().map(([number, query, answer]) => ({
      name: `q${String(number).padStart(2, '0')}`,
      sql: String(query).replace(/;\s*$/, ''),
      ...(answer === null ? {} : { answer: String(answer) }),
    }))
  })
}
