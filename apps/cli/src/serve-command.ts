import { once } from 'node:events'
import { FloeError } from '@floe/iceberg'
import { serverRoles } from '@floe/server/server-role'
import type { AccessSettings, SettingFlags } from '@floe/lakehouse'
import type { ServerRole } from '@floe/server/server-role'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'

type ServeFlags = {
  readonly port: string
  readonly host: string
  readonly role: string
} & Pick<
  SettingFlags,
  'auth' | 'oidcIssuer' | 'oidcAudience' | 'oidcJwksUri' | 'oidcPrincipalClaim' | 'oidcRolesClaim'
>

export function addServeCommand(program: Command, signal: AbortSignal): void {
  program
    .command('serve')
    .description('serve the Iceberg REST catalog, POST /sql and POST /ask')
    .option('--port <port>', 'port to listen on; 0 takes a free one', '8181')
    .option(
      '--host <host>',
      'address to listen on; beyond loopback only with authentication, or with --auth off',
      '127.0.0.1',
    )
    .option('--role <roles>', 'what to serve: catalog, query, agent', serverRoles.join(','))
    .option('--auth <on|off>', 'ask for tokens (floe token create), or serve everybody')
    .option('--oidc-issuer <urls>', 'take tokens of these OpenID Connect issuers as well')
    .option('--oidc-audience <names>', 'what their tokens must be for')
    .option('--oidc-jwks-uri <urls>', 'where their keys are, if not found by discovery')
    .option('--oidc-principal-claim <claim>', 'claim that names the principal (default sub)')
    .option('--oidc-roles-claim <claim>', 'claim that lists roles (default roles)')
    .addHelpText(
      'after',
      '\nExample:\n  floe serve --port 8181 --role catalog\n  floe serve --catalog postgres://floe@localhost/catalog\n',
    )
    .action(async (_flags: unknown, command: Command) => runServe(allFlags<ServeFlags>(command), signal))
}

async function runServe(flags: ServeFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  const port = Number(flags.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new FloeError('invalid-input', `${flags.port} is not a port`, {
      hint: 'give a number from 0 to 65535',
    })
  }
  const { auth, oidcIssuer, oidcAudience, oidcJwksUri, oidcPrincipalClaim, oidcRolesClaim } = flags
  const own = { auth, oidcIssuer, oidcAudience, oidcJwksUri, oidcPrincipalClaim, oidcRolesClaim }
  // No other command needs the code of the server.
  const { createServerMetrics, openTracing, startServer } = await import('@floe/server')
  const metrics = createServerMetrics()
  await using tracing = await openTracing(process.env)
  await using lakehouse = openLakehouse(
    { ...settingFlags(flags), ...own },
    {
      onSignal: (signal) => metrics.countSignal(signal),
      ...(tracing === undefined ? {} : { observe: tracing.observe }),
    },
  )
  checkReach(flags.host, lakehouse.settings.access)
  const { accessLog, ...limits } = lakehouse.settings.serve
  await using server = await startServer(
    lakehouse,
    { port, host: flags.host, roles: parseRoles(flags.role), limits },
    {
      metrics,
      ...(tracing === undefined ? {} : { tracing }),
      ...(accessLog === true ? { accessLog: (line) => process.stderr.write(`${line}\n`) } : {}),
    },
  )
  process.stderr.write(`floe: ${flags.role} on ${server.url}\n`)
  if (!signal.aborted) await once(signal, 'abort')
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i

/** @throws FloeError invalid-input when others could reach a server that asks nobody who they are */
function checkReach(host: string, access: AccessSettings): void {
  if (access.kind !== 'none' || loopback.test(host)) return
  throw new FloeError('invalid-input', `refusing to listen on ${host} without authentication`, {
    hint: 'set FLOE_AUTH=on and make tokens with floe token create, or set FLOE_AUTH=off where a proxy or a private network guards the port',
  })
}

function parseRoles(text: string): readonly ServerRole[] {
  return text.split(',').map((part) => {
    const role = serverRoles.find((candidate) => candidate === part.trim())
    if (role !== undefined) return role
    throw new FloeError('invalid-input', `${part} is not a role`, {
      hint: `choose from ${serverRoles.join(', ')}`,
    })
  })
}
