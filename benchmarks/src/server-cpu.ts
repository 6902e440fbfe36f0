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

function readTimes(pid: number): readonly ProcessTimes[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold spaces.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [parent = 0] = fields.slice(1, 2)
    // utime, stime, and cutime, cstime of children that have ended.
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    return [{ pid, parent, ticks }]
  } catch {
    return []
  }
}
