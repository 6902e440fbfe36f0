import type { RequestKey } from '@floe/catalog'
import { FloeError, stringifyJson } from '@floe/iceberg'
import type { ScanQuery } from './plan-request.ts'

/** Where a plan stands (spec `PlanStatus`). */
export type PlanState =
  /** The answer to the request that made it held everything: it can be made again from the query. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'submitted' }
  /** Members of the spec's `ScanTasks`, as JSON text. */
  | { readonly kind: 'completed'; readonly body: string }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled' }

export type Plan = {
  readonly id: string
  readonly tableUuid: string
  readonly query: ScanQuery
  readonly state: PlanState
}

export type PlanLimits = {
  /** How long a plan can be asked for (default one hour). */
  readonly planLifetimeMs?: number
  /** Plans that are remembered (default 10,000), and bytes of their filters and results (default 64 MiB). */
  readonly plansMax?: number
  readonly planBytesMax?: number
  /** Plans that go on after their request was answered (default 32): beyond them requests are refused as unavailable. */
  readonly submittedPlansMax?: number
}

const planLifetimeMsDefault = 60 * 60 * 1000
const plansMaxDefault = 10_000
const planBytesMaxDefault = 64 * 1024 * 1024
const submittedPlansMaxDefault = 32

type Entry = {
  plan: Plan
  readonly expiresAtMs: number
  readonly abort: AbortController
  readonly requestKey: string | undefined
  readonly filterBytes: number
}

type Components = { readonly clock: { now(): number }; readonly uuid: () => string }

/** Plans by id, within bounds of time, number and bytes: those that are oldest go first. A restart forgets them. */
export class PlanRegistry {
  readonly #components: Components
  readonly #limits: Required<PlanLimits>
  /** In the order of their making, which is that of their end. */
  readonly #entries = new Map<string, Entry>()
  readonly #byKey = new Map<string, { readonly fingerprint: string; readonly planId: string }>()
  #bytes = 0
  #submitted = 0

  constructor(components: Components, limits: PlanLimits = {}) {
    this.#components = components
    this.#limits = {
      planLifetimeMs: limits.planLifetimeMs ?? planLifetimeMsDefault,
      plansMax: limits.plansMax ?? plansMaxDefault,
      planBytesMax: limits.planBytesMax ?? planBytesMaxDefault,
      submittedPlansMax: limits.submittedPlansMax ?? submittedPlansMaxDefault,
    }
  }

  /** A new plan, as good as answered until `submit` says otherwise. `signal` ends when it is cancelled. */
  open(
    tableUuid: string,
    query: ScanQuery,
    key?: RequestKey,
  ): { readonly plan: Plan; readonly signal: AbortSignal } {
    this.#makeRoom()
    const id = this.#components.uuid()
    const plan: Plan = { id, tableUuid, query, state: { kind: 'answered' } }
    const expiresAtMs = this.#components.clock.now() + this.#limits.planLifetimeMs
    const abort = new AbortController()
    const filterBytes = query.filter === undefined ? 0 : stringifyJson(query.filter).length
    this.#entries.set(id, { plan, expiresAtMs, abort, requestKey: key?.key, filterBytes })
    this.#bytes += filterBytes
    if (key !== undefined) this.#byKey.set(key.key, { fingerprint: key.fingerprint, planId: id })
    this.#shrink()
    return { plan, signal: abort.signal }
  }

  /** The plan of a table, while it lives. */
  find(tableUuid: string, id: string): Plan | undefined {
    this.#expire()
    const plan = this.#entries.get(id)?.plan
    return plan?.tableUuid === tableUuid ? plan : undefined
  }

  /** The plan that an earlier request with this key has made. @throws FloeError invalid-input for another request's key */
  findByKey(tableUuid: string, { key, fingerprint }: RequestKey): Plan | undefined {
    this.#expire()
    const known = this.#byKey.get(key)
    if (known === undefined) return undefined
    if (known.fingerprint === fingerprint) return this.find(tableUuid, known.planId)
    throw new FloeError('invalid-input', 'the idempotency key belongs to another request', {
      hint: 'make a new key for each operation',
    })
  }

  /** Lets the plan go on after its request is answered; what it comes to is kept. @throws FloeError unavailable */
  submit(id: string, result: Promise<string>): void {
    if (this.#submitted >= this.#limits.submittedPlansMax) {
      // It ends as cancelled, and nobody is left to be told.
      result.catch(() => undefined)
      this.discard(id)
      throw new FloeError('unavailable', `${this.#submitted} scans are being planned already`, {
        hint: 'ask again later',
      })
    }
    this.#submitted += 1
    this.#change(id, { kind: 'submitted' })
    const settle = (state: PlanState): void => {
      this.#submitted -= 1
      if (this.#entries.get(id)?.plan.state.kind === 'submitted') this.#change(id, state)
    }
    result.then(
      (body) => settle({ kind: 'completed', body }),
      (error: unknown) => settle({ kind: 'failed', error }),
    )
  }

  /** Ends the plan and lets go of what it held; that it was cancelled is remembered. */
  cancel(id: string): void {
    this.#entries.get(id)?.abort.abort()
    this.#change(id, { kind: 'cancelled' })
  }

  /** Forgets a plan that came to nothing. */
  discard(id: string): void {
    this.#remove(id)
  }

  #change(id: string, state: PlanState): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#bytes += resultBytes(state) - resultBytes(entry.plan.state)
    entry.plan = { ...entry.plan, state }
    this.#shrink()
  }

  #shrink(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limits.planBytesMax) return
      this.#remove(oldest)
    }
  }

  #makeRoom(): void {
    this.#expire()
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined && this.#entries.size >= this.#limits.plansMax) this.#remove(oldest)
  }

  #expire(): void {
    const now = this.#components.clock.now()
    for (const [id, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs > now) return
      this.#remove(id)
    }
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.abort.abort()
    this.#bytes -= resultBytes(entry.plan.state) + entry.filterBytes
    this.#entries.delete(id)
    if (entry.requestKey !== undefined) this.#byKey.delete(entry.requestKey)
  }
}

function resultBytes(state: PlanState): number {
  return state.kind === 'completed' ? state.body.length : 0
}
