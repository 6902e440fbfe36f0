import { FloeError } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { closeState, planLocation, removeState } from './load-state.ts'
import type { LoadState } from './load-state.ts'
import type { TaskCheckpoints } from './load-task.ts'
import { encodeStatePlan } from './state-plan.ts'
import type { OpenStatePlan } from './state-plan.ts'

export function newChunkCounter(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
}

/** The state of the load that runs: its own, or one that it has taken over. Nothing is written before a worker has something to keep. */
export class OwnState {
  readonly counter: SharedArrayBuffer = newChunkCounter()
  readonly #state: Pick<LoadState, 'folder' | 'generation'> & { readonly plan: OpenStatePlan }
  readonly #formatVersion: 1 | 2 | 3
  readonly #atEnd: boolean
  readonly #store: ObjectStore
  #isClosed = false

  constructor(
    state: Pick<LoadState, 'folder' | 'generation'> & { readonly plan: OpenStatePlan },
    table: { readonly formatVersion: 1 | 2 | 3; readonly atEnd: boolean },
    store: ObjectStore,
  ) {
    this.#state = state
    this.#formatVersion = table.formatVersion
    this.#atEnd = table.atEnd
    this.#store = store
  }

  checkpointsOf(worker: number): TaskCheckpoints {
    const { folder, generation, plan } = this.#state
    return {
      folder,
      namePrefix: `files-${generation}-${worker}`,
      formatVersion: this.#formatVersion,
      atEnd: this.#atEnd,
      ...(generation > 0
        ? {}
        : { firstPlan: { location: planLocation(folder, generation), bytes: encodeStatePlan(plan) } }),
    }
  }

  /**
   * Before a commit: nobody may go on with files that are in a table.
   * @throws commit-conflict when another load has taken them over, which it does when this one looked dead
   */
  async close(): Promise<void> {
    if (await this.tryClose()) return
    throw new FloeError('commit-conflict', 'another load has gone on with the files of this one', {
      hint: 'this one had lost its session on the source, which held its place: see what the other does',
    })
  }

  /** Before files are removed. False when they are another load's. */
  async tryClose(): Promise<boolean> {
    if (!this.#isClosed) this.#isClosed = !this.#isWritten || (await closeState(this.#store, this.#state))
    return this.#isClosed
  }

  /** After the commit, or after its files were removed. Best effort: what stays is closed, and an orphan. */
  async remove(): Promise<void> {
    if (this.#isClosed && this.#isWritten)
      await removeState(this.#store, this.#state.folder).catch(() => undefined)
  }

  get #isWritten(): boolean {
    return this.#state.generation > 0 || Atomics.load(new Int32Array(this.counter), 1) > 0
  }
}
