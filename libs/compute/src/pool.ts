import { getCompileCacheDir } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'

import { FloeError } from '@floe/iceberg/values'
import { Piscina } from 'piscina'

import type { RunOptions, TaskReference } from './task.ts'
import { cancelledError } from './task-error.ts'
import { TaskRun } from './task-run.ts'
import type { TaskPreparation } from './task-thread.ts'

/** Between the signal in the task and the end of its thread. */
const defaultCancelGraceMs = 5_000

/**
 * Where the heap of a thread begins to be marked, in MiB. Threads hold little in V8's heap and much outside of it, which
 * counts too: from V8's own start of a few MiB it marks after each row group (34 times in a load of 6 million rows,
 * 6 times with this), and marking and sweeping take a tenth of the load's CPU time.
 */
const initialHeapMb = 256

export type PoolSettings = {
  /** Threads. They start at the first call and are reused until `close`. */
  readonly workers: number
  /** V8 old generation of one thread, in MiB; absent: V8's own limit. Array buffers are outside of it. */
  readonly heapMaxMb?: number
  readonly cancelGraceMs?: number
}

export interface Pool extends AsyncDisposable {
  readonly workers: number
  /** Has all threads started, and the code of a task read, while its caller still prepares the input. */
  start(task: Pick<TaskReference<unknown, unknown>, 'moduleUrl'>): void
  /**
   * Runs a task on a free thread; calls that find none wait in order.
   * @throws what the task throws; `cancelled` after `signal` or `close`, when the task or its thread has ended;
   * `invalid-input` for an input that cannot be cloned; `resource-exhausted` when the heap is full; `internal` when
   * the thread dies. Another thread takes its place.
   */
  run<I, O, P = never>(task: TaskReference<I, O, P>, input: I, options?: RunOptions<P>): Promise<O>
  /** Cancels what runs, waits for it and ends the threads. */
  close(): Promise<void>
}

/** @throws `invalid-input` for settings that are not positive numbers */
export function openPool(settings: PoolSettings): Pool {
  checkSettings(settings)
  return new ThreadPool(settings)
}

/** Threads that this machine runs at the same time. */
export function availableWorkers(): number {
  return availableParallelism()
}

class ThreadPool implements Pool {
  readonly workers: number
  readonly #settings: PoolSettings
  /** Calls that have not ended, and of those the ones that no thread has taken. */
  readonly #calls = new Set<TaskRun>()
  readonly #waiting = new Set<TaskRun>()
  #busyThreads = 0
  #threads: Piscina | undefined
  #closing: Promise<void> | undefined

  constructor(settings: PoolSettings) {
    this.workers = settings.workers
    this.#settings = settings
  }

  start({ moduleUrl }: { readonly moduleUrl: string }): void {
    if (this.#closing !== undefined || this.#threads !== undefined) return
    this.#threads = startThreads(this.#settings)
    const preparation: TaskPreparation = { moduleUrl }
    // A thread that dies of it is replaced, and the call tells why.
    for (let thread = 0; thread < this.workers; thread++) this.#threads.run(preparation).catch(() => {})
  }

  async run<I, O, P = never>(
    task: TaskReference<I, O, P>,
    input: I,
    options: RunOptions<P> = {},
  ): Promise<O> {
    const { signal } = options
    if (this.#closing !== undefined) throw cancelledError(task.moduleUrl, new Error('the pool is closed'))
    if (signal?.aborted === true) throw cancelledError(task.moduleUrl, signal.reason)
    const { cancelGraceMs = defaultCancelGraceMs } = this.#settings
    const run = new TaskRun(task.moduleUrl, input, options, cancelGraceMs)
    const onAbort = (): void => run.cancel(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#calls.add(run)
    this.#waiting.add(run)
    this.#beginNext()
    try {
      return (await run.outcome()) as O
    } finally {
      this.#calls.delete(run)
      this.#waiting.delete(run)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The line is kept here: Piscina's own is not first come, first served for calls that can be cancelled. */
  #beginNext(): void {
    const [next] = this.#waiting
    if (next === undefined || this.#busyThreads === this.workers) return
    this.#waiting.delete(next)
    this.#busyThreads += 1
    this.#threads ??= startThreads(this.#settings)
    void next.begin(this.#threads).finally(() => {
      this.#busyThreads -= 1
      this.#beginNext()
    })
  }

  async #end(): Promise<void> {
    const runs = [...this.#calls]
    for (const run of runs) run.cancel(new Error('the pool was closed'))
    await Promise.allSettled(runs.map((run) => run.outcome()))
    await this.#threads?.destroy()
  }
}

function startThreads({ workers, heapMaxMb }: PoolSettings): Piscina {
  // The flag is read when an isolate is made; the one that runs is not changed by it.
  setFlagsFromString(`--initial-heap-size=${Math.min(initialHeapMb, heapMaxMb ?? initialHeapMb)}`)
  const threads = new Piscina({
    filename: new URL('./task-thread.ts', import.meta.url).href,
    // All threads from the start: a thread that dies is then replaced at once, also for the calls that wait.
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    recordTiming: false,
    // Without it a thread sleeps in Atomics.wait between tasks: its sockets would go stale and its timers stand still.
    atomics: 'disabled',
    env: threadEnvironment(),
    ...(heapMaxMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMaxMb } }),
  })
  // A thread that dies without a task is replaced; no call is there to reject.
  threads.on('error', () => {})
  return threads
}

/**
 * Threads do not inherit the compile cache of the process, but read this variable: stripping types and compiling takes
 * 0.5 CPU seconds a thread without it. Node adds a folder of its version, which the process's own answer has already.
 */
function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir()
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) }
}

function checkSettings({ workers, heapMaxMb, cancelGraceMs }: PoolSettings): void {
  const wrong =
    !Number.isSafeInteger(workers) || workers < 1
      ? `workers is ${workers}`
      : heapMaxMb !== undefined && !(heapMaxMb > 0)
        ? `heapMaxMb is ${heapMaxMb}`
        : cancelGraceMs !== undefined && !(cancelGraceMs >= 0)
          ? `cancelGraceMs is ${cancelGraceMs}`
          : undefined
  if (wrong === undefined) return
  throw new FloeError('invalid-input', `a pool cannot be opened: ${wrong}`, {
    hint: 'give at least one worker, and limits above zero',
  })
}
