import { errorReactions, FloeError } from '@floe/iceberg'
import { Command, CommanderError } from 'commander'
import { addAskCommand } from './ask-command.ts'
import { printError } from './cli-error.ts'
import { addLoadCommand } from './load-command.ts'
import { addServeCommand } from './serve-command.ts'
import { addSqlCommand } from './sql-command.ts'
import { addTableCommand } from './table-command.ts'

/** What was typed is wrong: the exit code of `invalid-input`. */
const usageExitCode = errorReactions['invalid-input'].exitCode

/** Runs one command. Results go to stdout, everything else to stderr. Returns the exit code of the error's code. */
export async function runCli(args: readonly string[]): Promise<number> {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort(new FloeError('cancelled', 'stopped by a signal'))
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  // A reader that has seen enough (`floe sql ... | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
  })
  try {
    await createProgram(stop.signal).parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    return printError(error)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function createProgram(signal: AbortSignal): Command {
  const program = new Command('floe')
    .description('PostgreSQL into Apache Iceberg, and back out in SQL and in answers')
    .option('--catalog <catalog>', 'sqlite:<path> or http://<host:port> (default sqlite:.floe/catalog.db)')
    .option('--warehouse <warehouse>', 'file:<dir> or s3://<bucket/prefix> (default file:.floe/warehouse)')
    .showHelpAfterError('(floe --help shows every command)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  floe load --from postgres://localhost/shop --table public.orders --to shop\n',
    )
  addLoadCommand(program, signal)
  addSqlCommand(program, signal)
  addTableCommand(program)
  addAskCommand(program, signal)
  addServeCommand(program, signal)
  for (const command of allCommands(program)) command.exitOverride().showHelpAfterError()
  return program
}

function allCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)])
}
