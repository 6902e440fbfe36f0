import { readFileSync } from 'node:fs'

/** Megabytes that a process has in memory, at this moment and at most so far. Reads Linux's /proc. */
export function processMemory(pid: number): { readonly residentMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { residentMb: read('VmRSS'), peakMb: read('VmHWM') }
}
