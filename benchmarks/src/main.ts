import { parseArgs } from 'node:util'
import { standardSizes } from './catalog-lines.ts'
import { describeCatalogResult, runCatalogSuite } from './catalog-suite.ts'
import { catalogServers } from './catalog-target.ts'
import { compareResults } from './compare.ts'
import { describeResult } from './describe-result.ts'
import { runEncoderSuite } from './encoder/encoder-suite.ts'
import { measureLoads } from './load/load-command.ts'
import { loadVariantNames } from './load/variant-list.ts'
import { workloadNames } from './load/workload.ts'
import { saveResult } from './measurement.ts'
import { queryLines } from './query/query-suite.ts'
import { runTpchSuite } from './query/tpch-suite.ts'

const usage = `npm run bench -- load [--workload NAME] [--scale N] [--workers N] [--runs N] [--variants a,b]
                                                            loads of a table, by Floe and by its peers in turn (flights alone needs npm alone)
npm run bench -- encoder [--runs N]                         one row group of lineitem, by Floe's encoder and by pyarrow (needs Python)
npm run bench -- catalog [--servers a,b] [--lines a,b] [--runs N] [--seconds S] [--connections N]
                                                            REST catalogs side by side (needs Java 17, Maven, Python and Go)
npm run bench -- query [--scale N] [--variants floe,bare,iceberg,pyiceberg] [--lines a,b] [--queries q01,q02] [--runs N] [--data FOLDER]
                                                            TPC-H on Iceberg tables beside bare Parquet (needs Python)
npm run bench -- compare <before.json> <after.json>         two results side by side; exit code 1 when a ratio got worse

workloads of load: ${workloadNames.join(', ')}; --scale is that of TPC-H, or the part of a generated table
variants of load: ${loadVariantNames.join(', ')}
servers: ${catalogServers.join(', ')}
catalog lines: ${standardSizes.snapshots.map((count) => `load-${count}-all, load-${count}-refs`).join(', ')},
         create, commit-hot, commit-many, list
query lines: ${queryLines.join(', ')}
`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string' },
    workload: { type: 'string' },
    workers: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
    variants: { type: 'string' },
    queries: { type: 'string' },
    data: { type: 'string' },
    servers: { type: 'string', default: catalogServers.join(',') },
    lines: { type: 'string' },
    seconds: { type: 'string', default: '1.5' },
    connections: { type: 'string', default: '8' },
  },
})
const [suite, before, after] = positionals
const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`

if (suite === 'load') {
  process.stdout.write(await measureLoads(values, command))
} else if (suite === 'encoder') {
  const log = (text: string): void => void process.stderr.write(`${text}\n`)
  const result = await runEncoderSuite({
    runs: Number(values.runs),
    warmups: 3,
    repetitions: 10,
    command,
    log,
  })
  process.stdout.write(`${describeResult(result)}${saveResult(result)}\n`)
} else if (suite === 'catalog') {
  const wanted = values.servers.split(',')
  const unknown = wanted.filter((name) => !catalogServers.some((known) => known === name))
  if (unknown.length > 0) throw new Error(`no such server: ${unknown.join(', ')}\n${usage}`)
  const result = await runCatalogSuite({
    servers: catalogServers.filter((name) => wanted.includes(name)),
    ...(values.lines === undefined ? {} : { lines: values.lines.split(',') }),
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    sizes: standardSizes,
    command,
    log: (text) => process.stderr.write(`${text}\n`),
  })
  process.stdout.write(`${describeCatalogResult(result)}${saveResult(result)}\n`)
} else if (suite === 'query') {
  process.stdout.write(await runTpchSuite({ ...values, runs: Number(values.runs), command }))
} else if (suite === 'compare' && before !== undefined && after !== undefined) {
  process.exitCode = compareResults(before, after) ? 0 : 1
} else {
  process.stderr.write(usage)
  process.exitCode = 2
}
