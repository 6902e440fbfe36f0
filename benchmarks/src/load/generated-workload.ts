import { hashed } from './hashed-value.ts'
import { textStatements } from './text-table.ts'

export const generatedWorkloads = ['wide', 'text', 'null'] as const
export type GeneratedWorkload = (typeof generatedWorkloads)[number]

const rowsOf: Readonly<Record<GeneratedWorkload, number>> = {
  wide: 300_000,
  text: 1_000_000,
  null: 2_000_000,
}
const wideColumns = 100
const nullColumns = 20

/** A table that the server fills itself; values come from hashes of the row's number, so that they are the same each time. */
export function generatedWorkload(
  name: GeneratedWorkload,
  scale: number,
): { readonly table: string; readonly rows: number; readonly statements: readonly string[] } {
  const table = `public.${name}_rows`
  const rows = Math.max(1, Math.round(rowsOf[name] * scale))
  switch (name) {
    case 'wide':
      return { table, rows, statements: [tableOf(table, wideSelect(), rows)] }
    case 'null':
      return { table, rows, statements: [tableOf(table, nullSelect(rows), rows)] }
    case 'text':
      return { table, rows, statements: textStatements(table, rows) }
  }
}

function tableOf(table: string, select: readonly string[], rows: number): string {
  return `CREATE TABLE ${table} AS SELECT ${select.join(', ')} FROM generate_series(1::bigint, ${rows}) AS i`
}

/** What tables of operational databases hold, each in the form that columns of its kind mostly have. */
const kinds: readonly ((seed: number) => { readonly name: string; readonly value: string })[] = [
  (seed) => ({ name: 'key', value: hashed('i', seed, 5_000_000) }),
  (seed) => ({ name: 'count', value: `${hashed('i', seed, 1000)}::integer` }),
  (seed) => ({ name: 'number', value: `(${hashed('i', seed, 4_000_000_000)} - 2000000000)::integer` }),
  (seed) => ({ name: 'price', value: `(${hashed('i', seed, 10_000_000)} / 100.0)::numeric(12,2)` }),
  (seed) => ({ name: 'measure', value: `${hashed('i', seed, 1_000_000_000)}::double precision / 1000` }),
  (seed) => ({ name: 'flag', value: `${hashed('i', seed, 10)} < 3` }),
  (seed) => ({ name: 'day', value: `date '2015-01-01' + ${hashed('i', seed, 3650)}::integer` }),
  (seed) => ({
    name: 'at',
    value: `timestamp '2020-01-01' + i * interval '7 seconds' + ${hashed('i', seed, 5_000_000)} * interval '1 microsecond'`,
  }),
  (seed) => ({ name: 'state', value: `'state ' || ${hashed('i', seed, 40)}` }),
  (seed) => ({
    name: 'code',
    value: `to_char(${hashed('i', seed, 90_000_000)} + 10000000, 'FM"C-"00000000')`,
  }),
]

function columnOf(at: number): { readonly name: string; readonly value: string } {
  const { name, value } = kinds[at % kinds.length]?.(at) ?? { name: 'none', value: 'NULL' }
  return { name: `${name}_${at}`, value }
}

/** Every third column has 5 percent nulls. */
function wideSelect(): readonly string[] {
  const columns = Array.from({ length: wideColumns - 1 }, (_, index) => {
    const { name, value } = columnOf(index)
    const nullable =
      index % 3 === 0 ? `CASE WHEN ${hashed('i', 1000 + index, 100)} >= 5 THEN ${value} END` : value
    return `${nullable} AS ${name}`
  })
  return ['i AS id', ...columns]
}

/** From half to 95 of 100 values are null: here and there, in long runs, at a beat, or up to a row as in a column added later. */
function nullSelect(rows: number): readonly string[] {
  const columns = Array.from({ length: nullColumns - 1 }, (_, index) => {
    const { name, value } = columnOf(index)
    const nullsOf100 = Math.round(50 + (45 * index) / (nullColumns - 2))
    const conditions = [
      `${hashed('i', 2000 + index, 100)} >= ${nullsOf100}`,
      `${hashed('i / 700', 2000 + index, 100)} >= ${nullsOf100}`,
      `i % 100 >= ${nullsOf100}`,
      `i > ${Math.round((rows * nullsOf100) / 100)}`,
    ]
    return `CASE WHEN ${conditions[index % conditions.length]} THEN ${value} END AS ${name}`
  })
  return ['i AS id', ...columns]
}
