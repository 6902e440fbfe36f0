import { errorFromData, errorToData, FloeError } from '@floe/iceberg'
import type { ErrorData } from '@floe/iceberg'

/** What goes between the two ends: structured-cloned, so bigints, maps and bytes stay what they are. */
export type CallMessage =
  | { readonly kind: 'call'; readonly call: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly call: number; readonly error: ErrorData }

/** What one end can be asked: names to functions of one argument. */
export type CallHandlers = Readonly<Record<string, (input: never) => unknown>>

type Pending = { resolve(value: unknown): void; reject(error: Error): void }

/** Calls in both directions over a channel of messages. */
export class CallChannel {
  readonly #send: (message: CallMessage) => void
  readonly #handlers: CallHandlers
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #end: FloeError | undefined

  constructor(send: (message: CallMessage) => void, handlers: CallHandlers) {
    this.#send = send
    this.#handlers = handlers
  }

  /** What the other end's function returns. @throws what it throws, and what the channel was ended with */
  call<Output>(name: string, input: unknown): Promise<Output> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const call = ++this.#calls
    return new Promise<Output>((resolve, reject) => {
      this.#pending.set(call, { resolve: resolve as Pending['resolve'], reject })
      this.#send({ kind: 'call', call, name, input })
    })
  }

  receive(message: CallMessage): void {
    if (message.kind === 'call') {
      void this.#answer(message)
      return
    }
    const pending = this.#pending.get(message.call)
    this.#pending.delete(message.call)
    if (message.kind === 'answer') pending?.resolve(message.value)
    else pending?.reject(errorFromData(message.error))
  }

  /** Fails all calls that wait, and all that come. */
  end(error: FloeError): void {
    this.#end = error
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }

  async #answer({ call, name, input }: Extract<CallMessage, { kind: 'call' }>): Promise<void> {
    try {
      const handler = this.#handlers[name]
      if (handler === undefined) throw new FloeError('internal', `there is nothing called ${name}`)
      const value = await handler(input as never)
      if (this.#end === undefined) this.#send({ kind: 'answer', call, value })
    } catch (error) {
      if (this.#end === undefined) this.#send({ kind: 'failure', call, error: errorToData(error) })
    }
  }
}
