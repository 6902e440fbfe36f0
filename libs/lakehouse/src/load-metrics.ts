import type { LoadReport, TableLoad } from '@floe/etl'

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number }
type Metric = { readonly name: string; readonly help: string; readonly samples: readonly Sample[] }

/**
 * The last run as Prometheus metrics in text, one gauge a table: what node_exporter's textfile collector serves.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function loadMetrics({ tables, seconds, cpuSeconds }: LoadReport, startedAt: Date): string {
  const loads = tables.filter((table) => table.status === 'loaded')
  const gauge = (name: string, help: string, value: (load: TableLoad) => number): Metric => ({
    name: `floe_load_${name}`,
    help,
    samples: loads.map((load) => ({ labels: { table: load.table }, value: value(load) })),
  })
  const metrics: readonly Metric[] = [
    single('run_start_timestamp_seconds', 'When the last run began.', startedAt.getTime() / 1000),
    single('run_seconds', 'How long the last run took.', seconds),
    single('run_cpu_seconds', 'CPU time of the last run, all threads.', cpuSeconds),
    {
      name: 'floe_load_success',
      help: '1 when the table was loaded, 0 when it failed.',
      samples: tables.map(({ table, status }) => ({ labels: { table }, value: status === 'failed' ? 0 : 1 })),
    },
    gauge('rows', 'Rows read from the source.', ({ rows }) => rows),
    gauge('seconds', 'How long the table took.', (load) => load.seconds),
    gauge('wire_bytes', 'Bytes received from the source.', ({ stats }) => stats.wireBytes),
    gauge('data_bytes', 'Bytes of the data files.', ({ dataBytes }) => dataBytes),
    gauge('files', 'Data files written.', ({ files }) => files),
    gauge('commits', 'Snapshots committed.', ({ commits }) => commits),
    {
      name: 'floe_load_phase_seconds',
      help: 'Time of the workers by phase: source is waiting for rows, upload waiting for storage.',
      samples: loads.flatMap(({ table, stats }) => phasesOf(table, stats)),
    },
  ]
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(textOf)
    .join('')
}

function single(name: string, help: string, value: number): Metric {
  return { name: `floe_load_${name}`, help, samples: [{ labels: {}, value }] }
}

function phasesOf(
  table: string,
  { waitMs, decodeMs, encodeMs, uploadMs }: TableLoad['stats'],
): readonly Sample[] {
  return Object.entries({ source: waitMs, decode: decodeMs, encode: encodeMs, upload: uploadMs }).map(
    ([phase, ms]) => ({ labels: { table, phase }, value: ms / 1000 }),
  )
}

function textOf({ name, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}

function labelsOf(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
