import { parseArgs } from 'node:util'
import { compareResults } from './compare.ts'
import { runLoadSuite } from './load-suite.ts'

const usage = `npm run bench -- load [--scale N] [--workers N] [--runs N] [--variants drain,copy,cursor]
                                                            load flights, or TPC-H lineitem at a scale (needs Python)
npm run bench -- compare <before.json> <after.json>         two results side by side; exit code 1 when a ratio got worse
`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string' },
    workers: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
    variants: { type: 'string', default: 'drain,copy,cursor' },
  },
})
const [suite, before, after] = positionals

if (suite === 'load') {
  const file = await runLoadSuite({
    scale: values.scale === undefined ? undefined : Number(values.scale),
    workers: Number(values.workers),
    runs: Number(values.runs),
    variants: values.variants.split(','),
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
  })
  process.stdout.write(`${file}\n`)
} else if (suite === 'compare' && before !== undefined && after !== undefined) {
  process.exitCode = compareResults(before, after) ? 0 : 1
} else {
  process.stderr.write(usage)
  process.exitCode = 2
}
