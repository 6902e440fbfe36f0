import { errorReactions, FloeError } from '@floe/iceberg'
import { Command, CommanderError } from 'commander'
import { addAskCommand } from './ask-command.ts'
import { addAuditCommand } from './audit-command.ts'
import { printError } from './cli-error.ts'
import { addGrantCommand } from './grant-command.ts'
import { addLoadCommand } from './load-command.ts'
import { addNamespaceCommand } from './namespace-command.ts'
import { addServeCommand } from './serve-command.ts'
import { addSqlCommand } from './sql-command.ts'
import { hasReaderLeft, watchStdout } from './stdout.ts'
import { openStopSignal } from './stop-signal.ts'
import { addSyncCommand } from './sync-command.ts'
import { addTableCommand } from './table-command.ts'
import { addTokenCommand } from './token-command.ts'

/** What was typed is wrong: the exit code of `invalid-input`. */
const usageExitCode = errorReactions['invalid-input'].exitCode

/** Runs one command. Results go to stdout, everything else to stderr. Returns the exit code of the error's code. */
export async function runCli(args: readonly string[]): Promise<number> {
  using stop = openStopSignal()
  watchStdout(() => stop.abort(new FloeError('cancelled', 'nobody reads stdout any more')))
  try {
    await createProgram(stop.signal).parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    return hasReaderLeft() ? 0 : printError(error)
  }
}

function createProgram(signal: AbortSignal): Command {
  const program = new Command('floe')
    .description('PostgreSQL into Apache Iceberg, and back out in SQL and in answers')
    .option(
      '--catalog <catalog>',
      'sqlite:<path>, postgres://<user>:<password>@<host>/<database>, http://<host:port> or glue://<region> (default sqlite:.floe/catalog.db)',
    )
    .option('--token <token>', 'bearer token of a REST catalog; better kept in FLOE_TOKEN')
    .option(
      '--warehouse <warehouse>',
      'its name, or file:<dir> or s3://<bucket/prefix> (default file:.floe/warehouse)',
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'floe: invalid-input: ')),
    })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  floe load --from postgres://localhost/shop --table public.orders --to shop\n',
    )
  addLoadCommand(program, signal)
  addSyncCommand(program, signal)
  addSqlCommand(program, signal)
  addTableCommand(program)
  addNamespaceCommand(program)
  addAskCommand(program, signal)
  addServeCommand(program, signal)
  addTokenCommand(program)
  addGrantCommand(program)
  addAuditCommand(program, signal)
  for (const command of [program, ...allCommands(program)]) {
    command.showHelpAfterError(`  hint: ${fullName(command)} --help lists what it takes, with an example`)
  }
  return program
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function allCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)])
}
