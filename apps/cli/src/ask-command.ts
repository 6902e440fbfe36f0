import { errorReactions, stringifyJson } from '@floe/iceberg'
import { answerToJson } from '@floe/lakehouse'
import type { Answer } from '@floe/lakehouse'
import { Option } from 'commander'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { printRows } from './output.ts'
import { writeStdout } from './stdout.ts'

type AskFlags = { readonly provider?: string; readonly output: 'text' | 'json' }

export function addAskCommand(program: Command, signal: AbortSignal): void {
  program
    .command('ask')
    .description('answer a plain-language question with SQL that was run, and the snapshots it read')
    .argument('<question>')
    .addOption(
      new Option('--provider <provider>', 'who writes the SQL (default rules)').choices([
        'rules',
        'openai-compatible',
      ]),
    )
    .addOption(
      new Option('--output <format>', 'how the answer is printed').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', '\nExample:\n  floe ask "how many orders per month in 2025"\n')
    .action(async (question: string, _flags: unknown, command: Command) =>
      runAsk(question, allFlags<AskFlags>(command), signal),
    )
}

async function runAsk(question: string, flags: AskFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  await using lakehouse = openLakehouse({ ...settingFlags(flags), provider: flags.provider })
  const answer = await lakehouse.ask(question, { signal })
  if (flags.output === 'json') await writeStdout(`${stringifyJson(answerToJson(answer), 2)}\n`)
  else await printAnswer(answer)
  if (answer.kind !== 'answer') process.exitCode = errorReactions['invalid-input'].exitCode
}

async function printAnswer(answer: Answer): Promise<void> {
  await writeStdout(`${answer.text}\n`)
  if (answer.kind === 'clarification')
    await writeStdout(answer.choices.map((choice) => `  - ${choice}\n`).join(''))
  if (answer.kind !== 'answer') return
  await writeStdout('\n')
  await printRows(
    { columns: answer.columns.map(({ name }) => name), batches: [answer.rows] },
    'table',
    writeStdout,
  )
  await writeStdout(`\nSQL: ${answer.sql}\n`)
  for (const { table, snapshotId } of answer.references) {
    await writeStdout(`read: ${table} at snapshot ${snapshotId ?? 'none (the table is empty)'}\n`)
  }
}
