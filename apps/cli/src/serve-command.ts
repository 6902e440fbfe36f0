import { once } from 'node:events'
import { FloeError } from '@floe/iceberg'
import { createServerMetrics, openTracing, serverRoles, startServer } from '@floe/server'
import type { ServerRole } from '@floe/server'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'

type ServeFlags = { readonly port: string; readonly host: string; readonly role: string }

export function addServeCommand(program: Command, signal: AbortSignal): void {
  program
    .command('serve')
    .description('serve the Iceberg REST catalog, POST /sql and POST /ask')
    .option('--port <port>', 'port to listen on; 0 takes a free one', '8181')
    .option(
      '--host <host>',
      'address to listen on; there is no authentication, so loopback by default',
      '127.0.0.1',
    )
    .option('--role <roles>', 'what to serve: catalog, query, agent', serverRoles.join(','))
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
  const metrics = createServerMetrics()
  await using tracing = await openTracing(process.env)
  await using lakehouse = openLakehouse(settingFlags(flags), {
    onSignal: (signal) => metrics.countSignal(signal),
    ...(tracing === undefined ? {} : { observe: tracing.observe }),
  })
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

function parseRoles(text: string): readonly ServerRole[] {
  return text.split(',').map((part) => {
    const role = serverRoles.find((candidate) => candidate === part.trim())
    if (role !== undefined) return role
    throw new FloeError('invalid-input', `${part} is not a role`, {
      hint: `choose from ${serverRoles.join(', ')}`,
    })
  })
}
