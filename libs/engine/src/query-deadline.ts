import { FloeError } from '@floe/iceberg'

/** Ends a query early: when its caller's signal fires or its time is over. */
export class QueryDeadline {
  readonly #timeoutMs: number
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #caller: AbortSignal | undefined
  readonly #onCallerAbort = (): void => this.#controller.abort(this.#cancelled())

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs
    this.#caller = caller
    this.#timer = setTimeout(() => this.#controller.abort(this.#tooLong()), timeoutMs)
    this.#timer.unref()
    caller?.addEventListener('abort', this.#onCallerAbort, { once: true })
    if (caller?.aborted === true) this.#onCallerAbort()
  }

  /** Fires at the end; its reason is the `FloeError` to throw. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** @throws the reason, once it has fired */
  check(): void {
    this.signal.throwIfAborted()
  }

  /** Result of `work`, or the deadline's error when that is what broke it. */
  async guard<Result>(work: Promise<Result>): Promise<Result> {
    try {
      const result = await work
      this.check()
      return result
    } catch (error) {
      this.check()
      throw error
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#onCallerAbort)
  }

  #cancelled(): FloeError {
    return new FloeError('cancelled', 'the query was cancelled', { cause: this.#caller?.reason })
  }

  #tooLong(): FloeError {
    return new FloeError('resource-exhausted', `the query took longer than ${this.#timeoutMs} ms`, {
      hint: 'select fewer rows or raise timeoutMs',
    })
  }
}
