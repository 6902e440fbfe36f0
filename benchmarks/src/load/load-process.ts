import { Lakehouse, readSettings } from '@floe/lakehouse'
import { drainCopy } from '@floe/postgres'
import { processMemory } from '../process-memory.ts'
import type { LoadFigures, LoadRequest } from './load-request.ts'
import { runNullVariant } from './null-load.ts'
import { openChunks } from './open-chunks.ts'

/** One measured run of Floe in a process of its own, so that memory and CPU are its alone: prints its figures. */
const request = JSON.parse(process.argv[2] ?? '') as LoadRequest

type Measured = Omit<LoadFigures, 'peakMemoryBytes'>

async function drain(): Promise<Measured> {
  const { url, workers } = request
  const started = performance.now()
  const cpuStarted = process.cpuUsage()
  await using source = await openChunks(request)
  const drains = Array.from({ length: workers }, () =>
    drainCopy(url, source.snapshotId, source.columns, source.nextChunk),
  )
  const results = await Promise.all(drains)
  const seconds = (performance.now() - started) / 1000
  const wireBytes = results.reduce((sum, result) => sum + result.wireBytes, 0)
  return { rows: request.rows, seconds, loaderCpuSeconds: cpuSeconds(cpuStarted), wireBytes }
}

async function load(): Promise<Measured> {
  const { url, table, workers, flags = {}, folder, method = 'copy', namespace = 'bench' } = request
  await using lakehouse = new Lakehouse(readSettings(flags, {}, folder, workers))
  const catalog = await lakehouse.catalog()
  // The lakehouse reads this code when it first loads.
  await import('@floe/etl')
  const cpuStarted = process.cpuUsage()
  const started = performance.now()
  const { tables } = await lakehouse.load({
    sourceUrl: url,
    tables: [table],
    namespace: [namespace],
    mode: 'create',
    method,
  })
  const seconds = (performance.now() - started) / 1000
  const loaderCpuSeconds = cpuSeconds(cpuStarted)
  const [result] = tables
  if (result?.status !== 'loaded') throw new Error(JSON.stringify(result))
  const name = table.slice(table.indexOf('.') + 1)
  const { metadataLocation } = await catalog.loadTable({ namespace: [namespace], name })
  const { wireBytes } = result.stats
  return {
    rows: result.rows,
    seconds,
    loaderCpuSeconds,
    wireBytes,
    ...(metadataLocation === undefined ? {} : { metadataLocation }),
  }
}

function cpuSeconds(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1_000_000
}

function run(): Promise<Measured> {
  const { variant } = request
  if (variant === 'drain') return drain()
  return variant === 'load' ? load() : runNullVariant({ ...request, variant })
}

const measured = await run()
const peakMemoryBytes = processMemory(process.pid).peakMb * 1024 * 1024
const figures: LoadFigures = { ...measured, peakMemoryBytes }
process.stdout.write(`${JSON.stringify(figures)}\n`)
