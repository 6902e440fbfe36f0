import { describeResult } from '../describe-result.ts'
import { saveResult } from '../measurement.ts'
import { runLoadSuite } from './load-suite.ts'
import { loadVariantNames, standardVariants } from './variant-list.ts'
import { chooseWorkload } from './workload.ts'

/** Options of the command line as text. */
export type LoadCommand = {
  readonly workload?: string
  readonly scale?: string
  readonly variants?: string
  readonly workers: string
  readonly runs: string
}

/** Runs `bench -- load`. Returns what to print. */
export async function measureLoads(options: LoadCommand, command: string): Promise<string> {
  const scale = options.scale === undefined ? undefined : Number(options.scale)
  const workload = chooseWorkload(options.workload, scale)
  const variants = options.variants?.split(',') ?? standardVariantsOf(options)
  const unknown = variants.filter((name) => !loadVariantNames.includes(name))
  if (unknown.length > 0)
    throw new Error(`no such variant: ${unknown.join(', ')}; there are ${loadVariantNames.join(', ')}`)
  const result = await runLoadSuite({
    workload,
    variants,
    workers: Number(options.workers),
    runs: Number(options.runs),
    command,
    log: (text) => process.stderr.write(`${text}\n`),
  })
  return `${describeResult(result)}${saveResult(result)}\n`
}

/** Without options npm alone is enough. */
function standardVariantsOf({ workload, scale }: LoadCommand): readonly string[] {
  if (workload === undefined && scale === undefined) return standardVariants.npm
  return workload === undefined || workload === 'lineitem' ? standardVariants.all : standardVariants.local
}
