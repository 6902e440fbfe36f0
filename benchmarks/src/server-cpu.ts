import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts process times in ticks of this many per second (sysconf(_SC_CLK_TCK)) on every architecture. */
const ticksPerSecond = 100

type ProcessTimes = { readonly pid: number; readonly parent: number; readonly ticks: number }

/**
 * CPU seconds of a process and its children so far, ended ones included: PostgreSQL serves each connection by a child.
 * Reads Linux's /proc.
 */
export function treeCpuSeconds(root: number): number {
  const processes = readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) ? readTimes(Number(name)) : [],
  )
  const ticks = processes
    .filter(({ pid, parent }) => pid === root || parent === root)
    .reduce((sum, process) => sum + process.ticks, 0)
  return ticks / ticksPerSecond
}

/** CPU seconds of all children of this process that have ended, with their own ended children. Reads Linux's /proc. */
export function endedChildrenCpuSeconds(): number {
  const [, , ...times] = timesIn(statFields('self'))
  return times.reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond
}

function readTimes(pid: number): readonly ProcessTimes[] {
  try {
    const fields = statFields(String(pid))
    const [parent = 0] = fields.slice(1, 2)
    return [{ pid, parent, ticks: timesIn(fields).reduce((sum, value) => sum + value, 0) }]
  } catch {
    return []
  }
}

function statFields(process: string): readonly number[] {
  const stat = readFileSync(`/proc/${process}/stat`, 'utf8')
  // The second field is the command in parentheses and may hold spaces.
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
}

/** utime, stime, and cutime, cstime of children that have ended. */
function timesIn(fields: readonly number[]): readonly number[] {
  return fields.slice(11, 15)
}
