import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Lakehouse, readSettings } from '@floe/lakehouse'
import {
  connectSource,
  drainCopy,
  exportSnapshot,
  findSourceTables,
  planChunks,
  planColumns,
} from '@floe/postgres'

/** One measured run, in a process of its own so that memory and CPU are its alone: prints figures as JSON. */
const [variant = '', url = '', table = '', workersText = '2'] = process.argv.slice(2)
const workers = Number(workersText)

type Figures = {
  readonly rows: number
  readonly wireBytes: number
  readonly seconds: number
  readonly dataBytes: number
}

async function drain(): Promise<Figures> {
  const holder = await connectSource(url)
  const [source] = await findSourceTables(holder, table)
  if (source === undefined) throw new Error(`no table ${table}`)
  const columns = planColumns(source)
  const { chunks } = await planChunks(holder, source, { workers })
  const snapshot = await exportSnapshot(holder)
  const started = performance.now()
  let next = 0
  const drains = Array.from({ length: workers }, () =>
    drainCopy(url, snapshot.id, columns, () => chunks[next++]),
  )
  const results = await Promise.all(drains)
  const seconds = (performance.now() - started) / 1000
  await snapshot.release()
  await holder.end()
  const wireBytes = results.reduce((sum, result) => sum + result.wireBytes, 0)
  return { rows: source.estimatedRows, wireBytes, seconds, dataBytes: 0 }
}

async function load(method: 'copy' | 'cursor'): Promise<Figures> {
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-bench-'))
  try {
    const flags = {
      catalog: `sqlite:${folder}/catalog.db`,
      warehouse: `file:${folder}/warehouse`,
      workers: workersText,
    }
    await using lakehouse = new Lakehouse(readSettings(flags, {}, folder, workers))
    const request = { sourceUrl: url, tables: [table], namespace: ['bench'], mode: 'create', method } as const
    const { tables } = await lakehouse.load(request)
    const [result] = tables
    if (result?.status !== 'loaded') throw new Error(JSON.stringify(result))
    return {
      rows: result.rows,
      wireBytes: result.stats.wireBytes,
      seconds: result.seconds,
      dataBytes: result.dataBytes,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** VmHWM: the most memory this process ever had resident. */
function peakMemoryBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(line?.[1] ?? Number.NaN) * 1024
}

const cpuStarted = process.cpuUsage()
const figures = variant === 'drain' ? await drain() : await load(variant === 'cursor' ? 'cursor' : 'copy')
const { user, system } = process.cpuUsage(cpuStarted)
process.stdout.write(
  JSON.stringify({
    ...figures,
    loaderCpuSeconds: (user + system) / 1_000_000,
    peakMemoryBytes: peakMemoryBytes(),
  }),
)
