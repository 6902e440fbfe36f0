import { createInterface } from 'node:readline'
import { openQueryEngine } from './query-engine.ts'
import type { QueryEngineSettings, QueryRequest } from './query-engine.ts'

/** One engine in a process of its own, so that CPU time is its alone: answers each line of JSON with one. */
const engine = openQueryEngine(JSON.parse(process.argv[2] ?? '') as QueryEngineSettings)
for await (const line of createInterface({ input: process.stdin })) {
  const measured = await engine.measure(JSON.parse(line) as QueryRequest)
  process.stdout.write(`${JSON.stringify(measured)}\n`)
}
await engine.close()
