import { inspectTable, listAllTables, parseTableName } from '@floe/lakehouse'
import type { TableInspection } from '@floe/lakehouse'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { addChangeTableCommands } from './change-table-command.ts'
import { addDroppedCommands } from './dropped-command.ts'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { formatBytes } from './progress.ts'
import { writeStdout } from './stdout.ts'

type TableFlags = { readonly output: OutputFormat }

const views: Readonly<Record<keyof TableInspection, string>> = {
  show: 'schema, location, partitioning and properties',
  snapshots: 'every snapshot with its counts and refs',
  history: 'which snapshot was current since when',
  files: 'the data files of the current snapshot with their bounds',
}

export function addTableCommand(program: Command): void {
  const table = program
    .command('table')
    .description('look at the tables of the catalog, drop them and bring them back')
    .addHelpText('after', '\nExample:\n  floe table show shop.orders\n')
  table
    .command('list')
    .description('every table')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe table list --output json\n')
    .action(async (_flags: unknown, command: Command) => listTables(allFlags<TableFlags>(command)))
  addOrphanCommand(table)
  for (const [view, description] of Object.entries(views) as [keyof TableInspection, string][]) {
    table
      .command(view)
      .description(description)
      .argument('<table>', 'namespace.table')
      .addOption(outputOption())
      .addHelpText('after', `\nExample:\n  floe table ${view} shop.orders\n`)
      .action(async (name: string, _flags: unknown, command: Command) =>
        showTable(name, view, allFlags<TableFlags>(command)),
      )
  }
  addChangeTableCommands(table)
  addDroppedCommands(table)
}

type OrphanFlags = {
  readonly olderThan: number
  readonly dryRun?: boolean
  readonly ownLocation?: boolean
  readonly output: OutputFormat
}

function addOrphanCommand(table: Command): void {
  table
    .command('remove-orphans')
    .description('remove files that no snapshot reaches: what loads left that were killed')
    .argument('<table>', 'namespace.table')
    .option(
      '--older-than <time>',
      'only files of this age, such as 36h or 3d: longer than any load takes',
      age,
      age('3d'),
    )
    .option('--own-location', 'nothing but this table is below its location')
    .option('--dry-run', 'list them, and remove nothing')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe table remove-orphans shop.orders --older-than 3d --dry-run\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      removeOrphans(name, allFlags<OrphanFlags>(command)),
    )
}

async function removeOrphans(name: string, flags: OrphanFlags & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const { orphans, bytes, tooYoung } = await lakehouse.removeOrphans({
    identifier: parseTableName(name),
    olderThanMs: flags.olderThan,
    dryRun: flags.dryRun === true,
    ownLocation: flags.ownLocation === true,
  })
  const rows = orphans.map(({ location, sizeBytes, lastModifiedMs }) => [
    location,
    sizeBytes,
    new Date(lastModifiedMs).toISOString(),
  ])
  await printRows({ columns: ['file', 'bytes', 'written_at'], batches: [rows] }, flags.output, writeStdout)
  const done = flags.dryRun === true ? 'would be removed' : 'removed'
  process.stderr.write(
    `${orphans.length} files ${done}, ${formatBytes(bytes)}; ${tooYoung} more are too young\n`,
  )
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function age(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([mhd])$/.exec(text) ?? []
  const ms = Number(digits) * (unitMs[unit] ?? 0)
  if (digits === '' || ms === 0) throw new InvalidArgumentError('give a time such as 90m, 36h or 3d')
  return ms
}

async function listTables(flags: TableFlags & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const tables = await listAllTables(await lakehouse.catalog())
  const rows = tables.map(({ namespace, name }) => [namespace.join('.'), name])
  await printRows({ columns: ['namespace', 'table'], batches: [rows] }, flags.output, writeStdout)
}

async function showTable(
  name: string,
  view: keyof TableInspection,
  flags: TableFlags & GlobalFlags,
): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const inspection = await inspectTable(await lakehouse.catalog(), lakehouse.store, parseTableName(name))
  const { columns, rows } = await inspection[view]()
  await printRows({ columns, batches: [rows] }, flags.output, writeStdout)
}
