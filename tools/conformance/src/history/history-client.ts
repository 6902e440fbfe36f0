import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '@floe/iceberg'
import type { SeededRandom } from '@floe/testing'
import { loadedTable, snapshotCommit, tokenPropertyPrefix, writeManifestList } from './append.ts'
import type { TableState } from './append.ts'
import { createRequest } from './create-request.ts'
import type { Operation, Outcome, Read } from './operation.ts'
import { isWorthRepeating, outcomeOf } from './rest-client.ts'
import type { Answer, RestClient, RestRequest } from './rest-client.ts'

/** Names that clients fight for. */
const slots = ['slot-0', 'slot-1', 'slot-2', 'slot-3']
/** Pause after the server was not there. */
const pauseMs = 15
/** A request with a key is sent again this often at most: half a minute of pauses. */
const repeatsMax = 2000
/** Tables that one client owns at most. */
const ownedMax = 3

export type SentRequest = { readonly request: RestRequest; readonly operation: Operation }

/** What all clients of a round share. */
export type Round = {
  readonly namespace: string
  readonly hotTable: string
  /** Names that are known to every client; they may be stale. */
  readonly names: Set<string>
  readonly tick: () => number
  readonly reads: Read[]
  readonly sent: SentRequest[]
}

type OwnedTable = { readonly uuid: string; name: string; isGone: boolean }

type Change = Pick<Operation, 'kind' | 'tables'> & { readonly name?: string; readonly request: RestRequest }

/** One client: commits, creates, renames, drops and transactions, one after the other, until it is told to stop. */
export class HistoryClient {
  readonly #rest: RestClient
  readonly #round: Round
  readonly #index: number
  readonly #random: SeededRandom
  readonly #owned: OwnedTable[] = []
  #operations = 0

  constructor(index: number, rest: RestClient, round: Round, random: SeededRandom) {
    this.#index = index
    this.#rest = rest
    this.#round = round
    this.#random = random
  }

  async run(isStopped: () => boolean): Promise<void> {
    while (!isStopped()) await this.#step()
  }

  /** Creates a table that everybody may commit to. Its key makes it succeed, however often the server dies. */
  async createShared(name: string): Promise<void> {
    await this.#create(name, true)
  }

  async #step(): Promise<void> {
    const draw = this.#random()
    if (draw < 0.3) await this.#append(this.#round.hotTable)
    else if (draw < 0.55) await this.#append(this.#anyName())
    else if (draw < 0.7) await this.#transaction()
    else if (draw < 0.78) await this.#properties()
    else if (draw < 0.86) await this.#create(this.#newName())
    else if (draw < 0.96) await this.#rename()
    else await this.#drop()
  }

  async #append(name: string): Promise<void> {
    const table = await this.#load(name)
    if (table === undefined) return
    const token = this.#newToken()
    const { body, manifestList } = snapshotCommit(table, token, this.#random)
    await writeManifestList(manifestList, table)
    const path = `${this.#tablesPath()}/${name}`
    const request: RestRequest = { method: 'POST', path, body }
    const { outcome } = await this.#change(token, { kind: 'append', tables: [table.uuid], request })
    if (outcome === 'refused') await manifestList.remove()
  }

  async #transaction(): Promise<void> {
    const wanted = new Set([this.#anyName(), this.#anyName(), this.#anyName()])
    const tables: { readonly name: string; readonly state: TableState }[] = []
    for (const name of wanted) {
      const state = await this.#load(name)
      const isNew = state !== undefined && tables.every((other) => other.state.uuid !== state.uuid)
      if (isNew) tables.push({ name, state })
    }
    const token = this.#newToken()
    const parts = tables.map(({ name, state }) => ({
      name,
      state,
      ...snapshotCommit(state, token, this.#random),
    }))
    for (const { manifestList, state } of parts) await writeManifestList(manifestList, state)
    const changes = parts.map(({ name, body }) => ({
      identifier: { namespace: [this.#round.namespace], name },
      ...body,
    }))
    const request: RestRequest = {
      method: 'POST',
      path: '/transactions/commit',
      body: { 'table-changes': changes },
    }
    const uuids = tables.map(({ state }) => state.uuid)
    const { outcome } = await this.#change(token, { kind: 'transaction', tables: uuids, request })
    if (outcome === 'refused') for (const { manifestList } of parts) await manifestList.remove()
  }

  async #properties(): Promise<void> {
    const name = this.#anyName()
    const table = await this.#load(name)
    if (table === undefined) return
    const token = this.#newToken()
    const body: JsonObject = {
      requirements: [{ type: 'assert-table-uuid', uuid: table.uuid }],
      updates: [{ action: 'set-properties', updates: { [`${tokenPropertyPrefix}${token}`]: 'set' } }],
    }
    const request: RestRequest = { method: 'POST', path: `${this.#tablesPath()}/${name}`, body }
    await this.#change(token, { kind: 'properties', tables: [table.uuid], request })
  }

  async #create(name: string, isKeyed?: boolean): Promise<void> {
    if (this.#owned.filter(({ isGone }) => !isGone).length >= ownedMax && isKeyed !== true) return
    const token = this.#newToken()
    const isStaged = this.#random() < 0.3
    const request = createRequest(this.#tablesPath(), name, token, isStaged ? randomUUID() : undefined)
    const { outcome, uuid } = await this.#change(
      token,
      { kind: 'create', tables: [], name, request },
      isKeyed,
    )
    if (outcome !== 'acknowledged' || uuid === undefined) return
    this.#owned.push({ uuid, name, isGone: false })
    this.#round.names.add(name)
  }

  async #rename(): Promise<void> {
    const table = this.#anyOwned()
    if (table === undefined) return
    const [from, to] = [table.name, this.#newName()]
    if (from === to) return
    const identifier = (name: string): JsonObject => ({ namespace: [this.#round.namespace], name })
    const body = { source: identifier(from), destination: identifier(to) }
    const request: RestRequest = { method: 'POST', path: '/tables/rename', body }
    const change: Change = { kind: 'rename', tables: [table.uuid], name: to, request }
    const { outcome } = await this.#change(this.#newToken(), change)
    if (outcome === 'acknowledged') table.name = to
    if (outcome === 'unknown') await this.#findAgain(table, [to, from])
    this.#round.names.add(table.name)
  }

  async #drop(): Promise<void> {
    const table = this.#anyOwned()
    if (table === undefined) return
    const request: RestRequest = { method: 'DELETE', path: `${this.#tablesPath()}/${table.name}` }
    const { outcome } = await this.#change(this.#newToken(), { kind: 'drop', tables: [table.uuid], request })
    if (outcome === 'acknowledged') table.isGone = true
    if (outcome === 'unknown') await this.#findAgain(table, [table.name])
    if (table.isGone) this.#round.names.delete(table.name)
  }

  /** After an unclear answer: under which of the names the table is. */
  async #findAgain(table: OwnedTable, names: readonly string[]): Promise<void> {
    table.isGone = true
    for (const name of names) {
      const found = await this.#load(name, true)
      if (found?.uuid !== table.uuid) continue
      table.name = name
      table.isGone = false
      return
    }
  }

  /** Asks for a change and records what came of it; with a key it is asked for until there is a clear answer. */
  async #change(
    token: string,
    { request: keyless, ...change }: Change,
    isKeyed: boolean = this.#random() < 0.5,
  ): Promise<{ readonly outcome: Outcome; readonly uuid: string | undefined }> {
    const request = isKeyed ? { ...keyless, key: this.#newKey() } : keyless
    const invokedAt = this.#round.tick()
    const answers: string[] = []
    let answer = await this.#rest.send(request)
    answers.push(String(answer.status))
    while (isKeyed && isWorthRepeating(answer) && answers.length < repeatsMax) {
      await delay(pauseMs)
      answer = await this.#rest.send(request)
      if (answers.at(-1) !== String(answer.status)) answers.push(String(answer.status))
    }
    const outcome = outcomeOf(answer)
    const made = loadedTable(answer)?.uuid
    const tables =
      change.kind === 'create' && outcome === 'acknowledged' && made !== undefined ? [made] : change.tables
    const { key } = request
    this.#round.sent.push({
      request,
      operation: {
        ...change,
        tables,
        client: this.#index,
        token,
        ...(key === undefined ? {} : { key }),
        outcome,
        answers,
        invokedAt,
        completedAt: this.#round.tick(),
      },
    })
    if (isWorthRepeating(answer)) await delay(pauseMs)
    return { outcome, uuid: made }
  }

  /** The table of the name; `undefined` when there is none or, unless told to wait, no server. */
  async #load(name: string, isPatient = false): Promise<TableState | undefined> {
    const invokedAt = this.#round.tick()
    const request: RestRequest = { method: 'GET', path: `${this.#tablesPath()}/${name}` }
    let answer: Answer = await this.#rest.send(request)
    for (let repeats = 0; isPatient && isWorthRepeating(answer) && repeats < repeatsMax; repeats++) {
      await delay(pauseMs)
      answer = await this.#rest.send(request)
    }
    const table = loadedTable(answer)
    if (table !== undefined) {
      const { uuid, snapshotId } = table
      const completedAt = this.#round.tick()
      this.#round.reads.push({ client: this.#index, table: uuid, name, snapshotId, invokedAt, completedAt })
    } else if (isWorthRepeating(answer)) await delay(pauseMs)
    return table
  }

  #anyName(): string {
    const names = [...this.#round.names]
    return names[Math.floor(this.#random() * names.length)] ?? this.#round.hotTable
  }

  #anyOwned(): OwnedTable | undefined {
    const owned = this.#owned.filter(({ isGone }) => !isGone)
    return owned[Math.floor(this.#random() * owned.length)]
  }

  #newName(): string {
    const slot = slots[Math.floor(this.#random() * slots.length)]
    return this.#random() < 0.5 && slot !== undefined ? slot : `table-${this.#index}-${this.#operations}`
  }

  #newToken(): string {
    this.#operations++
    return `${this.#round.namespace}/${this.#index}/${this.#operations}`
  }

  #newKey(): string {
    return randomUUID()
  }

  #tablesPath(): string {
    return `/namespaces/${this.#round.namespace}/tables`
  }
}
