import { fillFlights } from '@floe/datasets'
import type { TestPostgres } from '@floe/testing'
import { generatedWorkload, generatedWorkloads } from './generated-workload.ts'
import type { GeneratedWorkload } from './generated-workload.ts'
import { fillLineitem } from './lineitem.ts'

export type Workload = {
  readonly name: string
  readonly table: string
  /** An integer column without nulls, for those that read in ranges of one. */
  readonly key: string
  /** Makes the table. Returns its rows. */
  fill(postgres: TestPostgres): Promise<number>
}

export const workloadNames: readonly string[] = ['flights', 'lineitem', ...generatedWorkloads]

/** Narrow: a timestamp, two integers, two codes of three letters. */
const flights: Workload = {
  name: 'flights',
  table: 'public.flights',
  key: 'distance',
  fill: ({ url }) => fillFlights(url),
}

/** TPC-H lineitem: four decimals, three dates, five short strings, one comment. */
function lineitem(scale: number): Workload {
  return {
    name: `lineitem-sf${scale}`,
    table: 'public.lineitem',
    key: 'l_orderkey',
    fill: (postgres) => fillLineitem(postgres, scale),
  }
}

/**
 * Lineitem when there is a scale and no name, otherwise flights. Lineitem needs Python; all others npm alone.
 * @param scale  of lineitem; of a generated table, the part of its rows
 */
export function chooseWorkload(name: string | undefined, scale: number | undefined): Workload {
  const chosen = name ?? (scale === undefined ? 'flights' : 'lineitem')
  if (chosen === 'flights') return flights
  if (chosen === 'lineitem') return lineitem(scale ?? 1)
  const generated = generatedWorkloads.find((known) => known === chosen)
  if (generated === undefined) throw new Error(`no workload ${chosen}: there are ${workloadNames.join(', ')}`)
  return generate(generated, scale ?? 1)
}

function generate(name: GeneratedWorkload, scale: number): Workload {
  const { table, rows, statements } = generatedWorkload(name, scale)
  return {
    name: scale === 1 ? name : `${name}-${scale}`,
    table,
    key: 'id',
    async fill(postgres) {
      const session = await postgres.openSession()
      for (const statement of [...statements, `VACUUM ANALYZE ${table}`]) await session.query(statement)
      await session.end()
      return rows
    },
  }
}
