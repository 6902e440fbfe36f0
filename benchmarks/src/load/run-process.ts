import { spawn } from 'node:child_process'
import { endedChildrenCpuSeconds } from '../server-cpu.ts'
import type { LoadFigures } from './load-request.ts'
import type { LoadRun } from './load-variant.ts'

export type MeasuredRun = LoadFigures & {
  /** From the start of the process to its end. */
  readonly processSeconds: number
  /** Of the process and its children, from start to end. */
  readonly cpuSeconds: number
}

/** Runs one variant's process to its end, alone among the children of this one that end meanwhile. */
export async function runProcess({ command, args, env = {} }: LoadRun): Promise<MeasuredRun> {
  const cpuBefore = endedChildrenCpuSeconds()
  const started = performance.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const processSeconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with exit code ${String(code)}`)
  const figures = JSON.parse(output.trim().split('\n').at(-1) ?? '') as LoadFigures
  return { ...figures, processSeconds, cpuSeconds: endedChildrenCpuSeconds() - cpuBefore }
}
