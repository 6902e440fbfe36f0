import { toFloeError } from '@floe/iceberg'
import { listAllNamespaces, parseNamespace } from '@floe/lakehouse'
import type { Lakehouse, Protectable } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { collectKeyValue } from './key-value.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { writeStdout } from './stdout.ts'

type OutputFlags = { readonly output: OutputFormat }
type Properties = Readonly<Record<string, string>>

export function addNamespaceCommand(program: Command): void {
  const namespace = program
    .command('namespace')
    .description('make, change and drop namespaces')
    .addHelpText('after', '\nExample:\n  floe namespace create shop --property owner=ada\n')
  namespace
    .command('list')
    .description('every namespace, or those below one')
    .option('--parent <namespace>', 'such as shop')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe namespace list --parent shop\n')
    .action(async (_flags: unknown, command: Command) =>
      listNamespaces(allFlags<OutputFlags & { readonly parent?: string }>(command)),
    )
  ownCommand(namespace, 'create', 'make a namespace; its parent must be there')
    .option('--property <key=value>', 'may be given several times', collectKeyValue, {})
    .addHelpText('after', '\nExample:\n  floe namespace create shop.eu --property location=s3://lake/eu\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      createNamespace(name, allFlags<{ readonly property: Properties }>(command)),
    )
  ownCommand(namespace, 'show', 'its properties, and whether it is protected')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe namespace show shop\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      showNamespace(name, allFlags<OutputFlags>(command)),
    )
  addChangeCommands(namespace)
}

function addChangeCommands(namespace: Command): void {
  ownCommand(namespace, 'set', 'set and remove properties')
    .argument('[property...]', 'key=value')
    .option(
      '--remove <key>',
      'a property to remove; may be given several times',
      (key: string, before: readonly string[]) => [...before, key],
      [],
    )
    .addHelpText('after', '\nExample:\n  floe namespace set shop owner=ada --remove comment\n')
    .action(async (name: string, properties: readonly string[], _flags: unknown, command: Command) =>
      setProperties(name, properties, allFlags<{ readonly remove: readonly string[] }>(command)),
    )
  ownCommand(namespace, 'drop', 'remove an empty namespace')
    .addHelpText('after', '\nExample:\n  floe namespace drop shop.eu\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      dropNamespace(name, allFlags<object>(command)),
    )
  for (const [verb, isProtected] of [
    ['protect', true],
    ['unprotect', false],
  ] as const)
    ownCommand(namespace, verb, isProtected ? 'keep it from being dropped' : 'let it be dropped again')
      .addHelpText('after', `\nExample:\n  floe namespace ${verb} shop\n`)
      .action(async (name: string, _flags: unknown, command: Command) =>
        protectNamespace(name, isProtected, allFlags<object>(command)),
      )
}

function ownCommand(parent: Command, verb: string, description: string): Command {
  return parent.command(verb).description(description).argument('<namespace>', 'such as shop or shop.eu')
}

async function listNamespaces(
  flags: OutputFlags & { readonly parent?: string } & GlobalFlags,
): Promise<void> {
  const parent = flags.parent === undefined ? undefined : parseNamespace(flags.parent)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const found = await listAllNamespaces(await lakehouse.catalog(), parent)
  const rows = found.map((levels) => [levels.join('.')])
  await printRows({ columns: ['namespace'], batches: [rows] }, flags.output, writeStdout)
}

async function createNamespace(
  name: string,
  flags: { readonly property: Properties } & GlobalFlags,
): Promise<void> {
  const namespace = parseNamespace(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.catalog()).createNamespace(namespace, flags.property)
  process.stderr.write(`floe: namespace ${name} is made\n`)
}

async function showNamespace(name: string, flags: OutputFlags & GlobalFlags): Promise<void> {
  const namespace = parseNamespace(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const properties = await (await lakehouse.catalog()).loadNamespace(namespace)
  const isProtected = await findProtection(lakehouse, { kind: 'namespace', namespace })
  const rows = [
    ...(isProtected === undefined ? [] : [['protected', String(isProtected)]]),
    ...Object.entries(properties).map(([key, value]) => [`property ${key}`, value]),
  ]
  await printRows({ columns: ['name', 'value'], batches: [rows] }, flags.output, writeStdout)
}

/** `undefined` where the catalog knows no protection. */
async function findProtection(lakehouse: Lakehouse, on: Protectable): Promise<boolean | undefined> {
  try {
    return await (await lakehouse.management()).isProtected(on)
  } catch (error) {
    const { code } = toFloeError(error)
    if (code === 'unsupported' || code === 'not-found' || code === 'permission-denied') return undefined
    throw error
  }
}

async function setProperties(
  name: string,
  properties: readonly string[],
  flags: { readonly remove: readonly string[] } & GlobalFlags,
): Promise<void> {
  const namespace = parseNamespace(name)
  const updates = properties.reduce<Properties>((before, text) => collectKeyValue(text, before), {})
  await using lakehouse = openLakehouse(settingFlags(flags))
  const catalog = await lakehouse.catalog()
  const { updated, removed, missing } = await catalog.updateNamespace(namespace, {
    updates,
    removals: flags.remove,
  })
  const absent = missing.length === 0 ? '' : `; ${missing.join(', ')} was not there`
  process.stderr.write(
    `floe: ${name}: ${updated.length} properties set, ${removed.length} removed${absent}\n`,
  )
}

async function dropNamespace(name: string, flags: GlobalFlags): Promise<void> {
  const namespace = parseNamespace(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.catalog()).dropNamespace(namespace)
  process.stderr.write(`floe: namespace ${name} is dropped\n`)
}

async function protectNamespace(name: string, isProtected: boolean, flags: GlobalFlags): Promise<void> {
  const on = { kind: 'namespace', namespace: parseNamespace(name) } as const
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.management()).setProtection(on, isProtected)
  process.stderr.write(`floe: namespace ${name} is ${isProtected ? 'protected' : 'not protected'}\n`)
}
