import { FloeError } from '@floe/iceberg'
import { maskActions, parseNamespace, parseTableName, privileges } from '@floe/lakehouse'
import type { Grantee, NamedRestriction, Privilege, Securable } from '@floe/lakehouse'
import { Argument } from 'commander'
import type { Command } from 'commander'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { writeStdout } from './stdout.ts'

type ToFlags = { readonly to: string }
type OnFlags = { readonly namespace?: string; readonly table?: string; readonly server?: boolean }
type OutputFlags = { readonly output: OutputFormat }
type RestrictFlags = ToFlags & { readonly rows?: string; readonly mask: NamedRestriction['masks'] }

export function addGrantCommand(program: Command): void {
  const grant = program
    .command('grant')
    .description('who may read, write or manage what')
    .addHelpText('after', '\nExample:\n  floe grant add read --to role:analysts --namespace shop\n')
  const add = grant
    .command('add')
    .description('give a privilege on the warehouse, or on a part of it')
    .addArgument(new Argument('<privilege>', 'each includes those before it').choices([...privileges]))
  withObject(withGrantee(add), 'floe grant add manage --to ada --table shop.orders').action(
    async (privilege: Privilege, _flags: unknown, command: Command) =>
      addGrant(privilege, allFlags<ToFlags & OnFlags>(command)),
  )
  const remove = grant.command('remove').description('take away what was given there')
  withObject(withGrantee(remove), 'floe grant remove --to role:analysts --namespace shop').action(
    async (_flags: unknown, command: Command) => removeGrant(allFlags<ToFlags & OnFlags>(command)),
  )
  grant
    .command('list')
    .description('every grant of the warehouse')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe grant list --output json\n')
    .action(async (_flags: unknown, command: Command) => listGrants(allFlags<OutputFlags>(command)))
  addRestrictCommands(grant)
}

function addRestrictCommands(grant: Command): void {
  withGrantee(grant.command('restrict').description('show some rows of a table only, or masks for columns'))
    .argument('<table>', 'namespace.table')
    .option('--rows <condition>', 'rows to show, such as "country = \'DE\' AND level < 5"')
    .option(
      '--mask <column=action>',
      `what to show of a column: ${maskActions.join(', ')}; may be given several times`,
      collectMask,
      [],
    )
    .addHelpText(
      'after',
      '\nExample:\n  floe grant restrict hr.people --to role:analysts --rows "country = \'DE\'" --mask email=show-last-4\n',
    )
    .action(async (table: string, _flags: unknown, command: Command) =>
      restrict(table, allFlags<RestrictFlags>(command)),
    )
  withGrantee(grant.command('unrestrict').description('show all of a table again'))
    .argument('<table>', 'namespace.table')
    .addHelpText('after', '\nExample:\n  floe grant unrestrict hr.people --to role:analysts\n')
    .action(async (table: string, _flags: unknown, command: Command) =>
      unrestrict(table, allFlags<ToFlags>(command)),
    )
  grant
    .command('restrictions')
    .description('every restriction of the warehouse')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe grant restrictions\n')
    .action(async (_flags: unknown, command: Command) => listRestrictions(allFlags<OutputFlags>(command)))
}

function withGrantee(command: Command): Command {
  return command.requiredOption('--to <name>', 'a principal, or role:<name>')
}

function withObject(command: Command, example: string): Command {
  return command
    .option('--namespace <namespace>', 'on a namespace and all in it, such as shop.eu')
    .option('--table <table>', 'on one table or view, such as shop.orders')
    .option('--server', 'on all warehouses, and the tokens')
    .addHelpText('after', `\nExample:\n  ${example}\n`)
}

async function addGrant(privilege: Privilege, flags: ToFlags & OnFlags & GlobalFlags): Promise<void> {
  const [to, on] = [parseGrantee(flags.to), parseObject(flags)]
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.accessAdmin()).addGrant({ to, privilege, on })
  process.stderr.write(`floe: ${flags.to} may ${privilege} ${objectText(on)}\n`)
}

async function removeGrant(flags: ToFlags & OnFlags & GlobalFlags): Promise<void> {
  const [to, on] = [parseGrantee(flags.to), parseObject(flags)]
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.accessAdmin()).removeGrant(to, on)
  process.stderr.write(`floe: the grant to ${flags.to} on ${objectText(on)} is gone\n`)
}

async function listGrants(flags: OutputFlags & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const grants = await (await lakehouse.accessAdmin()).listGrants()
  const rows = grants.map(({ to, privilege, on }) => [granteeText(to), privilege, objectText(on)])
  await printRows({ columns: ['to', 'privilege', 'on'], batches: [rows] }, flags.output, writeStdout)
}

async function restrict(table: string, flags: RestrictFlags & GlobalFlags): Promise<void> {
  const restriction = { to: parseGrantee(flags.to), table: parseTableName(table), masks: flags.mask }
  await using lakehouse = openLakehouse(settingFlags(flags))
  const rows = flags.rows === undefined ? {} : { rowFilter: flags.rows }
  await (await lakehouse.accessAdmin()).addRestriction({ ...restriction, ...rows })
  process.stderr.write(`floe: ${flags.to} sees parts of ${table} only\n`)
}

async function unrestrict(table: string, flags: ToFlags & GlobalFlags): Promise<void> {
  const [to, identifier] = [parseGrantee(flags.to), parseTableName(table)]
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.accessAdmin()).removeRestriction(to, identifier)
  process.stderr.write(`floe: ${flags.to} is no longer restricted on ${table}\n`)
}

async function listRestrictions(flags: OutputFlags & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const restrictions = await (await lakehouse.accessAdmin()).listRestrictions()
  const rows = restrictions.map(({ to, table, rowFilter, masks }) => [
    granteeText(to),
    [...table.namespace, table.name].join('.'),
    rowFilter ?? null,
    masks.map(({ column, action }) => `${column}=${action}`).join(', '),
  ])
  await printRows({ columns: ['to', 'table', 'rows', 'masks'], batches: [rows] }, flags.output, writeStdout)
}

function collectMask(text: string, before: NamedRestriction['masks']): NamedRestriction['masks'] {
  const at = text.lastIndexOf('=')
  const action = maskActions.find((candidate) => candidate === text.slice(at + 1))
  if (at > 0 && action !== undefined) return [...before, { column: text.slice(0, at), action }]
  throw new FloeError('invalid-input', `${text} is no mask`, {
    hint: `write it as column=action, with one of ${maskActions.join(', ')}`,
  })
}

function parseGrantee(text: string): Grantee {
  const [, kind = 'principal', name = ''] = /^(?:(principal|role):)?(.*)$/s.exec(text) ?? []
  if (name !== '') return { kind: kind === 'role' ? 'role' : 'principal', name }
  throw new FloeError('invalid-input', '--to names nobody', { hint: 'give a principal, or role:<name>' })
}

function parseObject({ namespace, table, server }: OnFlags): Securable {
  const given = [namespace, table, server].filter((flag) => flag !== undefined)
  if (given.length > 1) {
    throw new FloeError('invalid-input', 'a grant is on one thing', {
      hint: 'give one of --namespace, --table and --server, or none for the warehouse',
    })
  }
  if (namespace !== undefined) return { kind: 'namespace', namespace: parseNamespace(namespace) }
  if (table !== undefined) return { kind: 'table', identifier: parseTableName(table) }
  return { kind: server === true ? 'server' : 'warehouse' }
}

function granteeText({ kind, name }: Grantee): string {
  return kind === 'role' ? `role:${name}` : name
}

function objectText(on: Securable): string {
  switch (on.kind) {
    case 'server':
    case 'warehouse':
      return `the ${on.kind}`
    case 'namespace':
      return `the namespace ${on.namespace.join('.')}`
    case 'table':
      return [...on.identifier.namespace, on.identifier.name].join('.')
  }
}
