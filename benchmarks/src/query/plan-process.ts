import { createInterface } from 'node:readline'
import { parseTableMetadata } from '@floe/iceberg'
import { planScan } from '@floe/planner'
import { openObjectStore } from '@floe/storage'

/** Plans one file out of a table again and again, without a cache: what plan_files.py does with PyIceberg. */
const store = openObjectStore()
for await (const line of createInterface({ input: process.stdin })) {
  const { metadata: location, id } = JSON.parse(line) as { metadata: string; id: number }
  const cpuStarted = process.cpuUsage()
  const started = performance.now()
  const metadata = parseTableMetadata(new TextDecoder().decode(await store.get(location)))
  const reference = { kind: 'name', name: 'id' } as const
  const filter = { kind: 'literal', operator: 'eq', reference, value: BigInt(id) } as const
  // As the engine asks: metrics of the filter's columns alone.
  const { tasks } = await planScan({ metadata, filter, metricColumns: new Set() }, { store })
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpuStarted)
  process.stdout.write(
    `${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1_000_000, files: tasks.length })}\n`,
  )
}
await store.close()
