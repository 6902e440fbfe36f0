import { inspectTable, listAllTables, parseTableName } from '@floe/lakehouse'
import type { TableInspection } from '@floe/lakehouse'
import type { Command } from 'commander'
import { addChangeTableCommands } from './change-table-command.ts'
import { addDroppedCommands } from './dropped-command.ts'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
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
