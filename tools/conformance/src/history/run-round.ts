import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@floe/testing'
import type { SeededRandom } from '@floe/testing'
import { HistoryClient } from './history-client.ts'
import type { Round, SentRequest } from './history-client.ts'
import type { KillableServer } from './killable-server.ts'
import { observeTables } from './observe.ts'
import type { ObservedTable } from './observed-table.ts'
import type { Operation, RecordedHistory } from './operation.ts'
import { isWorthRepeating, openRestClient, outcomeOf } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'

export type RoundSettings = {
  readonly namespace: string
  readonly clients: number
  readonly kills: number
  readonly seed: number
  /** Over one store; clients spread over them. */
  readonly servers: readonly KillableServer[]
  /** Cuts the connections of the servers to their database, where they have one. */
  readonly cutConnections?: () => Promise<void>
}

type RoundResult = { readonly history: RecordedHistory; readonly tables: readonly ObservedTable[] }

/** Tables that every client commits to beside the hot one. */
const sharedTables = 5
/** How long servers stay up between two kills. */
const upMsMin = 50
const upMsMax = 900
/** Between two kills the connections to the database are cut fewer times than this, so long after each other at most. */
const cutsMax = 8
const cutPauseMsMax = 150
/** Requests with a key that are sent again after the last restart. */
const replaysMax = 200

/** Clients work while servers are killed and started again; afterwards keys are replayed and the tables are read. */
export async function runRound(settings: RoundSettings): Promise<RoundResult> {
  const { namespace, clients, seed, servers } = settings
  const random = seededRandom(seed)
  let ticks = 0
  const hotTable = 'hot'
  const round: Round = { namespace, hotTable, names: new Set(), tick: () => ++ticks, reads: [], sent: [] }
  const connections = Array.from({ length: clients + 1 }, (_, index) =>
    openRestClient(() => servers[index % servers.length]?.port ?? 0),
  )
  try {
    const workers = connections.map(
      (rest, index) => new HistoryClient(index, rest, round, seededRandom(seed + index)),
    )
    const [first] = connections
    const owner = workers.pop()
    if (first === undefined || owner === undefined) throw new Error('a round needs clients')
    await first.send({ method: 'POST', path: '/namespaces', body: { namespace: [namespace] } })
    const shared = Array.from({ length: sharedTables }, (_, at) => `shared-${at}`)
    for (const name of [hotTable, ...shared]) await owner.createShared(name)
    let isStopped = false
    const working = workers.map((client) => client.run(() => isStopped))
    await killAgainAndAgain(settings, random)
    isStopped = true
    await Promise.all(working)
    const operations = await replayKeys(first, round.sent, random)
    return { history: { operations, reads: round.reads }, tables: await observeTables(first, namespace) }
  } finally {
    for (const connection of connections) connection.close()
  }
}

/** Ends with every server up. */
async function killAgainAndAgain(
  { servers, kills, cutConnections }: RoundSettings,
  random: SeededRandom,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await delay(upMsMin + random() * (upMsMax - upMsMin))
    for (let cuts = Math.floor(random() * cutsMax); cutConnections !== undefined && cuts > 0; cuts--) {
      await cutConnections()
      await delay(random() * cutPauseMsMax)
    }
    const first = Math.floor(random() * servers.length)
    // Now and then all at once.
    const struck = random() < 0.2 ? servers : servers.slice(first, first + 1)
    await Promise.all(struck.map((server) => server.kill()))
    await delay(random() * 50)
    await Promise.all(struck.map((server) => server.restart()))
  }
}

/** Sends requests again under their keys: none may be answered otherwise, or happen twice. */
async function replayKeys(
  rest: RestClient,
  sent: readonly SentRequest[],
  random: SeededRandom,
): Promise<readonly Operation[]> {
  const keyed = sent.filter(({ request }) => request.key !== undefined)
  const share = replaysMax / Math.max(keyed.length, 1)
  const operations: Operation[] = []
  for (const { request, operation } of sent) {
    // What was answered last by a server that could not tell has no outcome to keep.
    const isChosen = operation.outcome !== 'refused' || !isUnclear(operation)
    if (request.key === undefined || !isChosen || random() > share) {
      operations.push(operation)
      continue
    }
    const answer = await rest.send(request)
    if (isWorthRepeating(answer)) throw new Error(`a replay was answered with ${answer.status}`)
    operations.push({ ...operation, replayed: outcomeOf(answer) })
  }
  return operations
}

function isUnclear({ answers }: Operation): boolean {
  const last = answers.at(-1)
  return last === 'unsent' || last === '503'
}
