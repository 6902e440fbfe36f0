import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPyIceberg } from '@floe/peers'
import { startPostgres } from '@floe/testing'
import { fillLineitem } from '../load/lineitem.ts'
import { pythonScript } from '../load/python-script.ts'
import { describeMachine, describeVersions, summarise } from '../measurement.ts'
import type { BenchmarkResult, VariantResult } from '../measurement.ts'
import type { EncoderRequest } from './encoder-process.ts'

export type EncoderSuiteOptions = {
  readonly runs: number
  /** Row groups that a process encodes before it measures, and while it does. */
  readonly warmups: number
  readonly repetitions: number
  readonly command: string
  readonly log: (text: string) => void
}

/** Lineitem of this scale has more rows than one row group. */
const scale = 0.05
const codecs = ['zstd', 'snappy'] as const
type Codec = (typeof codecs)[number]
/** Floe's own level; pyarrow's is 1 as well when none is given, and snappy has none. */
const levels = { zstd: { level: 1 }, snappy: {} } as const
const script = fileURLToPath(new URL('./encoder-process.ts', import.meta.url))
const run = promisify(execFile)

type Figures = Readonly<Record<string, number>>
type Encoder = { readonly name: string; readonly encode: () => Promise<Figures> }

/** One row group of lineitem, encoded by Floe and by pyarrow in turn. */
export async function runEncoderSuite(options: EncoderSuiteOptions): Promise<BenchmarkResult> {
  const startedAt = new Date().toISOString()
  const folder = mkdtempSync(path.join(tmpdir(), 'floe-encoder-'))
  try {
    await using postgres = await startPostgres({ settings: { jit: 'off' } })
    await fillLineitem(postgres, scale)
    const variants = await measureInTurn(await openEncoders(postgres.url, folder, options), options)
    return {
      suite: 'encoder',
      workload: 'lineitem-row-group',
      command: options.command,
      startedAt,
      machine: describeMachine(),
      versions: { ...describeVersions(), pyarrow: await pyarrowVersion() },
      variants,
      ratios: ratiosOf(variants),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function openEncoders(
  url: string,
  folder: string,
  { warmups, repetitions }: EncoderSuiteOptions,
): Promise<readonly Encoder[]> {
  const python = await installPyIceberg()
  const floe = (codec: Codec, strings: EncoderRequest['strings'], file?: string): Promise<Figures> => {
    const request = { url, table: 'public.lineitem', codec, strings, warmups, repetitions }
    const asked: EncoderRequest = file === undefined ? request : { ...request, file }
    return runProcess(process.execPath, [script, JSON.stringify(asked)])
  }
  const rows = path.join(folder, 'rows.parquet')
  // What pyarrow encodes it has read from this file: the same rows, in the same types.
  await floe('zstd', 'decoded', rows)
  const pyarrow = (codec: Codec): Promise<Figures> => {
    const request = { file: rows, codec, ...levels[codec], warmups, repetitions }
    return runProcess(python, [pythonScript('encode_row_group'), JSON.stringify(request)])
  }
  return codecs.flatMap((codec) => [
    { name: `floe ${codec}`, encode: () => floe(codec, 'decoded') },
    { name: `floe-plain ${codec}`, encode: () => floe(codec, 'plain') },
    { name: `pyarrow ${codec}`, encode: () => pyarrow(codec) },
  ])
}

async function runProcess(command: string, args: readonly string[]): Promise<Figures> {
  const { stdout } = await run(command, args)
  return JSON.parse(stdout) as Figures
}

async function measureInTurn(
  encoders: readonly Encoder[],
  { runs, log }: EncoderSuiteOptions,
): Promise<readonly VariantResult[]> {
  const figures = new Map<string, Figures[]>()
  for (let at = 1; at <= runs; at++) {
    for (const { name, encode } of encoders) {
      const measured = await encode()
      log(`run ${at} ${name}: CPU ${measured['cpuSeconds']?.toFixed(3)} s, ${measured['bytes']} bytes`)
      figures.set(name, [...(figures.get(name) ?? []), measured])
    }
  }
  return [...figures].map(([name, measured]) => summarise(name, measured))
}

function ratiosOf(variants: readonly VariantResult[]): Readonly<Record<string, number>> {
  const figure = (variant: string, name: string): number =>
    variants.find((candidate) => candidate.variant === variant)?.median[name] ?? Number.NaN
  const names = { CPU: 'cpuSeconds', wall: 'seconds', bytes: 'bytes' }
  const ratios = codecs.flatMap((codec) =>
    ['floe', 'floe-plain'].flatMap((floe) =>
      Object.entries(names).map(([called, name]) => [
        `${floe} ${called} / pyarrow ${called}, ${codec}`,
        figure(`${floe} ${codec}`, name) / figure(`pyarrow ${codec}`, name),
      ]),
    ),
  )
  return Object.fromEntries(ratios) as Record<string, number>
}

async function pyarrowVersion(): Promise<string> {
  const { stdout } = await run(await installPyIceberg(), ['-c', 'import pyarrow; print(pyarrow.__version__)'])
  return stdout.trim()
}
