import { FloeError } from '@floe/iceberg'
import type { Command } from 'commander'
import { parseDuration } from './duration.ts'
import { allFlags, openLakehouse, outputOption, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import type { OutputFormat } from './output.ts'
import { writeStdout } from './stdout.ts'

type CreateFlags = {
  readonly output: OutputFormat
  readonly role: readonly string[]
  readonly expiresIn: string
  readonly client?: boolean
}

export function addTokenCommand(program: Command): void {
  const token = program
    .command('token')
    .description('tokens with which clients of the catalog show who they are')
    .addHelpText('after', '\nExample:\n  floe token create ada --role analysts --expires-in 30d\n')
  token
    .command('create')
    .description('make a token and print it, once')
    .argument('<principal>', 'whom it speaks for')
    .option('--role <role>', 'a role of the principal; may be given several times', collect, [])
    .option('--expires-in <time>', 'such as 12h or 30d, or never', '90d')
    .option('--client', 'make an id and a secret for OAuth2 client credentials instead')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe token create spark --client --expires-in never\n')
    .action(async (principal: string, _flags: unknown, command: Command) =>
      createToken(principal, allFlags<CreateFlags>(command)),
    )
  token
    .command('list')
    .description('every token, without its secret')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  floe token list --output json\n')
    .action(async (_flags: unknown, command: Command) =>
      listTokens(allFlags<{ readonly output: OutputFormat }>(command)),
    )
  token
    .command('revoke')
    .description('end a token, and what was issued for it, at once')
    .argument('<id>', 'its id, as listed')
    .addHelpText('after', '\nExample:\n  floe token revoke 5b0c8a55d7f2f3a1\n')
    .action(async (id: string, _flags: unknown, command: Command) => revokeToken(id, allFlags(command)))
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

async function createToken(name: string, flags: CreateFlags & GlobalFlags): Promise<void> {
  const lifetimeMs = parseLifetime(flags.expiresIn)
  const isClient = flags.client === true
  await using lakehouse = openLakehouse(settingFlags(flags))
  const { id, text, expiresAtMs } = await (
    await lakehouse.accessAdmin()
  ).createToken({
    principal: { name, roles: flags.role },
    kind: isClient ? 'client' : 'token',
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  })
  const columns = isClient ? ['client_id', 'client_secret', 'expires_at'] : ['id', 'token', 'expires_at']
  await printRows({ columns, batches: [[[id, text, timeText(expiresAtMs)]]] }, flags.output, writeStdout)
}

async function listTokens(flags: { readonly output: OutputFormat } & GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  const tokens = await (await lakehouse.accessAdmin()).listTokens()
  const rows = tokens.map(({ id, kind, principal, createdAtMs, expiresAtMs }) => [
    id,
    kind,
    principal.name,
    principal.roles.join(', '),
    timeText(createdAtMs),
    timeText(expiresAtMs),
  ])
  const columns = ['id', 'kind', 'principal', 'roles', 'created_at', 'expires_at']
  await printRows({ columns, batches: [rows] }, flags.output, writeStdout)
}

async function revokeToken(id: string, flags: GlobalFlags): Promise<void> {
  await using lakehouse = openLakehouse(settingFlags(flags))
  await (await lakehouse.accessAdmin()).revokeToken(id)
  process.stderr.write(`floe: token ${id} is revoked\n`)
}

function parseLifetime(text: string): number | undefined {
  if (text === 'never') return undefined
  const lifetimeMs = parseDuration(text)
  if (lifetimeMs !== undefined && lifetimeMs > 0) return lifetimeMs
  throw new FloeError('invalid-input', `${text} is no time`, {
    hint: 'give such as 30m, 12h or 90d, or never',
  })
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
