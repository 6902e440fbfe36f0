import type { VariantResult } from '../measurement.ts'

/** One figure of a variant over the same of another: below 1 where the first needs less. */
type RatioLine = {
  readonly of: string
  readonly to: string
  readonly figure: string
  readonly called: string
}

const wall = { figure: 'seconds', called: 'wall' } as const
const cpu = { figure: 'cpuSeconds', called: 'CPU' } as const
const loaderCpu = { figure: 'loaderCpuSeconds', called: 'CPU after start' } as const
const memory = { figure: 'peakMemoryBytes', called: 'memory' } as const
const bytes = { figure: 'bytesWritten', called: 'bytes' } as const

const localPeers = ['duckdb-parquet', 'duckdb-parquet-snappy']
/** These write through a REST catalog into S3, and are held against the loads of Floe that write there too. */
const lakePeers = ['duckdb-iceberg', 'pyiceberg-duckdb', 'pyiceberg-connectorx', 'spark-jdbc']

const lines: readonly RatioLine[] = [
  // The raw drain is the limit: the same queries on as many connections, bytes thrown away.
  { of: 'copy', to: 'drain', ...wall },
  { of: 'copy-s3', to: 'drain', ...wall },
  ...['null-encoder', 'null-store', 'null-source'].map((to) => ({ of: to, to: 'copy', ...wall })),
  ...localPeers.flatMap((to) =>
    [cpu, loaderCpu, wall, memory, bytes].map((figure) => ({ of: 'copy', to, ...figure })),
  ),
  ...lakePeers.flatMap((to) => [
    { of: 'copy', to, ...wall },
    ...[wall, cpu, memory, bytes].map((figure) => ({ of: 'copy-s3', to, ...figure })),
    { of: 'copy-rest', to, ...wall },
  ]),
  { of: 'cursor', to: 'drain', ...wall },
  { of: 'cursor', to: 'copy', ...wall },
]

export function loadRatios(measured: readonly VariantResult[]): Readonly<Record<string, number>> {
  const figureOf = (variant: string, figure: string): number =>
    measured.find((candidate) => candidate.variant === variant)?.median[figure] ?? Number.NaN
  const ratios = lines.map(({ of, to, figure, called }) => {
    // Named as in results from before there were peers, so that they can be compared.
    const name = `${of} ${called} / ${to === 'drain' ? 'raw drain' : `${to} ${called}`}`
    return [name, figureOf(of, figure) / figureOf(to, figure)] as const
  })
  return Object.fromEntries(ratios.filter(([, ratio]) => Number.isFinite(ratio)))
}
