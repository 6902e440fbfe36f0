/** Lets tasks of one key run one after another, in the order they came; keys do not wait for each other. */
export class TableTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before === undefined ? task() : before.then(task)
    const settled = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
