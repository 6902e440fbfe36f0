import { FloeError } from '@floe/iceberg'
import { parseNamespace, parseTableName } from '@floe/lakehouse'
import type { CatalogManagement, DroppedRelation } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { writeStdout } from './stdout.ts'

type OutputFlags = { readonly output: OutputFormat }
type UndropFlags = { readonly as?: string; readonly uuid?: string }

/** What becomes of tables and views that were dropped. */
export function addDroppedCommands(table: Command): void {
  table
    .command('dropped')
    .description('dropped tables and views that can be brought back, newest first')
    .option('--namespace <namespace>', 'those that were in it')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe table dropped --namespace shop\n')
    .action(async (_flags: unknown, command: Command) =>
      listDropped(allFlags<OutputFlags & { readonly namespace?: string }>(command)),
    )
  table
    .command('undrop')
    .description('bring a dropped table or view back; of several with the name, the one dropped last')
    .argument('<table>', 'namespace.table, as it was called')
    .option('--as <table>', 'another name, when its own is taken')
    .option('--uuid <uuid>', 'which one, as listed by floe table dropped')
    .addHelpText('after', '\nExample:\n  floe table undrop shop.orders --as shop.orders_old\n')
    .action(async (name: string, _flags: unknown, command: Command) =>
      undropTable(name, allFlags<UndropFlags>(command)),
    )
  table
    .command('expire-dropped')
    .description('end the retention of dropped tables that is over, or of one before its time')
    .argument('[uuid]', 'as listed by floe table dropped')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe table expire-dropped\n')
    .action(async (uuid: string | undefined, _flags: unknown, command: Command) =>
      expireDropped(uuid, allFlags<OutputFlags>(command)),
    )
}

const columns = ['uuid', 'kind', 'name', 'dropped_at', 'dropped_by', 'expires_at', 'purge']

async function listDropped(
  flags: OutputFlags & { readonly namespace?: string } & GlobalFlags,
): Promise<void> {
  const namespace = flags.namespace === undefined ? undefined : parseNamespace(flags.namespace)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const rows = (await (await lakehouse.management()).listDropped(namespace)).map(rowOf)
  await printRows({ columns, batches: [rows] }, flags.output, writeStdout)
}

async function undropTable(name: string, flags: UndropFlags & GlobalFlags): Promise<void> {
  const as = flags.as === undefined ? undefined : parseTableName(flags.as)
  const identifier = parseTableName(name)
  await using lakehouse = openLakehouse(settingFlags(flags))
  const management = await lakehouse.management()
  const uuid = flags.uuid ?? (await findDropped(management, identifier, name))
  const back = await management.undrop(uuid, as)
  process.stderr.write(`floe: ${nameOf(back)} is back\n`)
}

async function findDropped(
  management: CatalogManagement,
  { namespace, name }: DroppedRelation['identifier'],
  shown: string,
): Promise<string> {
  const found = (await management.listDropped(namespace)).find(({ identifier }) => identifier.name === name)
  if (found !== undefined) return found.uuid
  throw new FloeError('not-found', `no dropped table ${shown} is kept`, {
    hint: 'floe table dropped lists those that are; how long they are kept says dropRetentionSeconds',
  })
}

async function expireDropped(uuid: string | undefined, flags: OutputFlags & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const { expired, failures } = await (await lakehouse.management()).expireDropped(uuid)
  await printRows({ columns, batches: [expired.map(rowOf)] }, flags.output, writeStdout)
  for (const { relation, error } of failures)
    process.stderr.write(`floe: ${nameOf(relation)} stays for now: ${error.message}\n`)
  if (failures.length > 0)
    throw new FloeError('unavailable', `${failures.length} dropped tables stay for now`)
}

function rowOf(dropped: DroppedRelation): readonly unknown[] {
  const { uuid, kind, droppedBy, isPurge } = dropped
  const [droppedAt, expiresAt] = [dropped.droppedAtMs, dropped.expiresAtMs].map((ms) =>
    new Date(ms).toISOString(),
  )
  return [uuid, kind, nameOf(dropped), droppedAt, droppedBy, expiresAt, isPurge]
}

function nameOf({ identifier: { namespace, name } }: Pick<DroppedRelation, 'identifier'>): string {
  return [...namespace, name].join('.')
}
