import { spawn } from 'node:child_process'
import { cleanEnvironment } from './run-floe.ts'
import type { Finished } from './run-floe.ts'

/** Stands between the output of two commands, after the exit code of the first. */
const mark = '\u0000'

/**
 * Commands one after another in one process: starting one costs more than most commands do. What is to be said of a
 * process is said with `runFloe`.
 */
export async function runSteps(
  lines: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<readonly Finished[]> {
  const script = `
    import { runCli } from ${JSON.stringify(new URL('../cli.ts', import.meta.url).href)}
    process.stdout.setMaxListeners(0)
    for (const line of ${JSON.stringify(lines)}) {
      const code = await runCli(line.split(' '))
      for (const stream of [process.stdout, process.stderr]) stream.write(code + ${JSON.stringify(mark)})
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [results, notes] = [stdout.split(mark), stderr.split(mark)]
  return lines.map((_, at) => {
    const [, printed = '', code] = /^(.*?)(\d+)$/s.exec(results[at] ?? '') ?? []
    const note = (notes[at] ?? '').replace(/\d+$/, '')
    return { code: code === undefined ? null : Number(code), stdout: printed, stderr: note }
  })
}
