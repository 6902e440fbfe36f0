import type { Transferable } from 'node:worker_threads'

/** What a task gets beside its input. `progress` values are structured-cloned and arrive in order before the result. */
export type TaskContext<P = never> = {
  /** Fires when the caller cancels: let go of what is half done, then throw. The thread ends after a grace. */
  readonly signal: AbortSignal
  progress(value: P): void
}

/** The default export of a task module. Input and result are structured-cloned. */
export type TaskFunction<I, O, P = never> = (input: I, context: TaskContext<P>) => Promise<O> | O

declare const taskTypes: unique symbol

/** Names a task by its module; the types exist only for the compiler. */
export type TaskReference<I, O, P = never> = {
  readonly moduleUrl: string
  readonly [taskTypes]?: { readonly input: (input: I) => void; readonly output: O; readonly progress: P }
}

export type RunOptions<P = never> = {
  readonly signal?: AbortSignal
  /** An error thrown here cancels the task and is what `run` rejects with. */
  readonly onProgress?: (value: P) => void
  /** Parts of the input that are moved to the task, not copied. */
  readonly transfer?: readonly Transferable[]
}

/** A reference to the task that `moduleUrl` exports: `taskAt<In, Out>(new URL('./load.task.ts', import.meta.url))`. */
export function taskAt<I, O, P = never>(moduleUrl: URL | string): TaskReference<I, O, P> {
  return { moduleUrl: String(moduleUrl) }
}

/** The task's name in messages: its file name, without the directories of this machine. */
export function taskName(moduleUrl: string): string {
  return moduleUrl.slice(moduleUrl.lastIndexOf('/') + 1)
}
