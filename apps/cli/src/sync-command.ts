import { pipelineFileName, readPipeline } from '@floe/lakehouse'
import type { Command } from 'commander'
import { allFlags, openLakehouse, settingFlags } from './global-options.ts'
import type { GlobalFlags } from './global-options.ts'
import { addRunOptions, runLoad } from './run-load.ts'
import type { RunFlags } from './run-load.ts'

const help = `
Example:
  floe sync pipelines/shop.yaml

  source: $SHOP_URL               # or a postgres:// address; default FLOE_SOURCE_URL
  namespace: shop
  mode: incremental               # create (default), append, replace, incremental
  transaction: false              # true: all tables in one commit
  resume: true                    # false: begin anew after a load that was killed, as --no-resume does
  types: { default: { infinity: clamp } }
  tables:
    - public.customers            # as everything above says
    - table: public.orders        # with settings of its own
      name: orders_eu
      namespace: sales
      cursor: { column: updated_at, lag: 10 minutes, merge: true, commitEvery: 1000000 }
      partitionBy: day(ordered_at), bucket(16, customer_id)
      columns: [id, customer_id, ordered_at, updated_at, total]
      where: country = 'DE'
      types: { total: { as: double } }
      properties: { write.target-file-size-bytes: 134217728 }

Settings before "tables" hold for every table that does not say otherwise; of two entries for one table the last counts.
Tables that fail do not stop the others: the exit code is that of the first failure.
`

export function addSyncCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('sync')
    .description('load many tables as a pipeline file says')
    .argument('[file]', 'the pipeline file', pipelineFileName)
    .option('--from <postgres-url>', 'the database, in place of the one in the file')
  addRunOptions(command)
    .addHelpText('after', help)
    .action(async (file: string, _flags: unknown, own: Command) =>
      runSync(file, allFlags<RunFlags>(own), signal),
    )
}

async function runSync(file: string, flags: RunFlags & GlobalFlags, signal: AbortSignal): Promise<void> {
  const { from, workers, memory } = flags
  const { sourceUrl, ...pipeline } = readPipeline(file, process.env)
  await using lakehouse = openLakehouse({ ...settingFlags(flags), sourceUrl: from, workers, memory })
  await runLoad(lakehouse, { ...pipeline, signal, sourceUrl: from ?? sourceUrl }, flags)
}
