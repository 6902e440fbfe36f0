import type { QueryStage } from '@floe/lakehouse'
import { formatCount, openProgress } from './progress.ts'

/** Between two looks at a query that says nothing. */
const tickMs = 100

/** Queries that end sooner show nothing. */
const quietMs = 300

const doing: Readonly<Record<QueryStage, string>> = {
  bind: 'finding tables',
  plan: 'planning files',
  open: 'opening files',
  run: 'running',
}

export type QueryProgress = Disposable & {
  readonly begin: (stage: QueryStage) => void
  /** The same batches, counted. */
  count<Row>(batches: AsyncIterable<readonly Row[]>): AsyncIterable<readonly Row[]>
  /** Prints a line that stays. */
  readonly print: (line: string) => void
  /** Takes the line away, before rows are printed to the same terminal. */
  clear(): void
}

/** What a query does, on stderr when that is a terminal; others have their rows alone. */
export function openQueryProgress(stream: NodeJS.WriteStream = process.stderr): QueryProgress {
  const line = openProgress(stream)
  const startedMs = performance.now()
  let stage: QueryStage = 'bind'
  let rows = 0
  const show = (): void => {
    const ms = performance.now() - startedMs
    if (ms < quietMs) return
    const counted = rows === 0 ? '' : `, ${formatCount(rows)} rows`
    line.update(`${doing[stage]}, ${(ms / 1000).toFixed(1)} s${counted}`)
  }
  const timer = stream.isTTY ? setInterval(show, tickMs) : undefined
  timer?.unref()
  return {
    begin: (next) => {
      stage = next
    },
    async *count(batches) {
      for await (const batch of batches) {
        rows += batch.length
        yield batch
      }
    },
    print: (text) => line.print(text),
    clear: () => line.end(),
    [Symbol.dispose]: () => {
      clearInterval(timer)
      line.end()
    },
  }
}
