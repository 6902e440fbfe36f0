import { FloeError } from '@floe/iceberg'
import type { LoadMode, TableSettings } from '@floe/lakehouse'
import { parseNamespace } from '@floe/lakehouse'
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { addRunOptions, runLoad, wholeNumber } from './run-load.ts'
import type { RunFlags } from './run-load.ts'

type LoadFlags = RunFlags & {
  readonly table: readonly string[]
  readonly to: string
  readonly mode: LoadMode
  readonly partitionBy?: string
  readonly sort?: string
  readonly cursor?: string
  readonly lag?: string
  readonly merge: boolean
  readonly commitEvery?: number
  readonly columns?: readonly string[]
  readonly where?: string
  readonly transaction?: boolean
}

export function addLoadCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('load')
    .description('load PostgreSQL tables into Iceberg tables')
    .option('--from <postgres-url>', 'the database (default: FLOE_SOURCE_URL)')
    .requiredOption('--table <schema.table>', 'a table, or schema.* for all; may be repeated', collect)
    .requiredOption('--to <namespace>', 'the namespace that gets the tables, under their own names')
    .addOption(
      new Option('--mode <mode>', 'what becomes of an existing table')
        .choices(['create', 'append', 'replace', 'incremental'])
        .default('create'),
    )
    .option(
      '--cursor <column>',
      'incremental: a column that grows with time, or xmin for the versions of rows (needs a primary key)',
    )
    .option(
      '--lag <distance>',
      'how far below the newest value rows may still come, such as "10 minutes" or 1000',
    )
    .option('--no-merge', 'add rows only, also where a primary key could replace older ones')
    .option('--commit-every <rows>', 'incremental: one commit for about so many rows, each final', rowCount)
    .option('--columns <names>', 'the columns to load, with commas between them', names)
    .option('--where <condition>', 'the rows to load, as a condition in SQL')
    .option('--transaction', 'all tables become visible in one commit, or none does')
    .option('--partition-by <transforms>', 'such as "day(ts), bucket(16, id)"')
    .option('--sort <terms>', 'the order within each data file, such as "day(ts) desc nulls last, id"')
  addRunOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  floe load --from postgres://me@localhost/shop --table public.orders --to shop --partition-by "day(ordered_at)"
  floe load --table public.orders --to shop --mode incremental --cursor updated_at --lag "10 minutes"

Incremental loads keep where they stand in the table property floe.source.position. With a primary key, rows that were
loaded before are replaced by their new versions (Iceberg equality deletes); without one each row is loaded once, and
those of the newest value wait for a newer one. Rows that the source deletes stay: --mode replace drops them.
`,
    )
    .action(async (_flags: unknown, own: Command) => runLoadCommand(allFlags<LoadFlags>(own), signal))
}

async function runLoadCommand(flags: LoadFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  const { from, workers, memory } = flags
  await using lakehouse = openLakehouse({ ...settingFlags(flags), sourceUrl: from, workers, memory })
  const request = {
    tables: flags.table,
    namespace: parseNamespace(flags.to),
    mode: flags.mode,
    transaction: flags.transaction === true,
    signal,
    ...tableSettings(flags),
  }
  await runLoad(lakehouse, request, flags)
}

function tableSettings({ partitionBy, sort, columns, where, ...flags }: LoadFlags): Partial<TableSettings> {
  const cursor = cursorOf(flags)
  return {
    ...(partitionBy === undefined ? {} : { partitionBy }),
    ...(sort === undefined ? {} : { sortBy: sort }),
    ...(columns === undefined ? {} : { columns }),
    ...(where === undefined ? {} : { where }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

function cursorOf({
  cursor,
  lag,
  merge,
  commitEvery,
}: Pick<LoadFlags, 'cursor' | 'lag' | 'merge' | 'commitEvery'>): TableSettings['cursor'] {
  if (cursor !== undefined) {
    return {
      column: cursor,
      merge,
      ...(lag === undefined ? {} : { lag }),
      ...(commitEvery === undefined ? {} : { commitEveryRows: commitEvery }),
    }
  }
  if (lag === undefined && merge && commitEvery === undefined) return undefined
  throw new FloeError('invalid-input', '--lag, --no-merge and --commit-every say how a cursor is used', {
    hint: 'give --cursor a column that grows with time, or xmin',
  })
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

function names(value: string): readonly string[] {
  const list = value.split(',').map((name) => name.trim())
  if (list.includes('')) throw new InvalidArgumentError('give names with commas between them')
  return list
}

function rowCount(value: string): number {
  return Number(wholeNumber(value))
}
