import { parseTableName } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { writeStdout } from './stdout.ts'

type DropFlags = { readonly purge?: boolean }
type RegisterFlags = { readonly overwrite?: boolean }
type ProtectFlags = { readonly view?: boolean }

/** What changes which names of tables there are. */
export function addChangeTableCommands(table: Command): void {
  ownCommand(table, 'drop', 'remove a table; the catalog may keep it for a time')
    .option('--purge', 'remove its files as well')
    .addHelpText('after', '\nExample:\n  floe table drop shop.orders --purge\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      dropTable(name, allFlags<DropFlags>(command)),
    )
  ownCommand(table, 'rename', 'give a table another name or namespace')
    .argument('<to>', 'namespace.table')
    .addHelpText('after', '\nExample:\n  floe table rename shop.orders shop.sales\n')
    .action(async (name: string, to: string, _flags: unknown, command: Command) =>
      renameTable(name, to, allFlags<object>(command)),
    )
  ownCommand(table, 'register', 'give a name to a metadata file')
    .argument('<metadata-location>', 'such as s3://lake/shop/orders/metadata/00003-....metadata.json')
    .option('--overwrite', 'also when a table has the name; its files stay')
    .addHelpText(
      'after',
      '\nExample:\n  floe table register shop.orders file:///lake/orders/metadata/v3.metadata.json\n',
    )
    .action(async (name: string, location: string, _flags: unknown, command: Command) =>
      registerTable(name, location, allFlags<RegisterFlags>(command)),
    )
  ownCommand(table, 'unregister', 'remove the name, keep the files, and print where its metadata is')
    .addHelpText('after', '\nExample:\n  floe table unregister shop.orders\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      unregisterTable(name, allFlags<object>(command)),
    )
  for (const [verb, isProtected] of [
    ['protect', true],
    ['unprotect', false],
  ] as const)
    ownCommand(table, verb, isProtected ? 'keep it from being dropped' : 'let it be dropped again')
      .option('--view', 'the name is that of a view')
      .addHelpText('after', `\nExample:\n  floe table ${verb} shop.orders\n`)
      .action(async (name: string, _flags: unknown, command: Command) =>
        protectTable(name, isProtected, allFlags<ProtectFlags>(command)),
      )
}

function ownCommand(parent: Command, verb: string, description: string): Command {
  return parent.command(verb).description(description).argument('<table>', 'namespace.table')
}

async function dropTable(name: string, flags: DropFlags & GlobalFlags): Promise<void> {
  const identifier = parseTableName(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.catalog()).dropTable(identifier, { purge: flags.purge ?? false })
  process.stderr.write(`floe: ${name} is dropped\n`)
}

async function renameTable(name: string, to: string, flags: GlobalFlags): Promise<void> {
  const [from, target] = [parseTableName(name), parseTableName(to)]
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.catalog()).renameTable(from, target)
  process.stderr.write(`floe: ${name} is ${to}\n`)
}

async function registerTable(
  name: string,
  location: string,
  flags: RegisterFlags & GlobalFlags,
): Promise<void> {
  const identifier = parseTableName(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const options = flags.overwrite === true ? { overwrite: true } : {}
  await (await lakehouse.catalog()).registerTable(identifier, location, options)
  process.stderr.write(`floe: ${name} is registered\n`)
}

async function unregisterTable(name: string, flags: GlobalFlags): Promise<void> {
  const identifier = parseTableName(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const { metadataLocation } = await (await lakehouse.catalog()).unregisterTable(identifier)
  await writeStdout(`${metadataLocation ?? ''}\n`)
  process.stderr.write(`floe: ${name} is no longer registered\n`)
}

async function protectTable(
  name: string,
  isProtected: boolean,
  flags: ProtectFlags & GlobalFlags,
): Promise<void> {
  const kind = flags.view === true ? 'view' : 'table'
  const on = { kind, identifier: parseTableName(name) } as const
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.management()).setProtection(on, isProtected)
  process.stderr.write(`floe: ${name} is ${isProtected ? 'protected' : 'not protected'}\n`)
}
