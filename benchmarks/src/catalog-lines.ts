import { randomUUID } from 'node:crypto'
import { runClosedLoop } from './closed-loop.ts'
import type { LoopLimits } from './closed-loop.ts'
import type { CatalogTarget } from './catalog-target.ts'
import type { HttpConnections } from './http-connections.ts'
import { appendBody, createBody, heldHistory, readHead, tableHistory } from './table-history.ts'

/** How much the suite puts into each server. */
export type CatalogSizes = {
  /** Snapshots of the tables that are loaded. */
  readonly snapshots: readonly number[]
  readonly listedTables: number
  readonly committedTables: number
  /** Creates, and commits, of one run at most: a faster server shall not get the longer history for it. */
  readonly changesMax: number
}

export const standardSizes: CatalogSizes = {
  snapshots: [10, 1_000, 10_000],
  listedTables: 10_000,
  committedTables: 100,
  changesMax: 200,
}

export type CatalogLine = {
  readonly name: string
  run(limits: Omit<LoopLimits, 'operationsMax'>): Promise<Readonly<Record<string, number>>>
}

/** Reads of one run at most. */
const readsMax = 20_000
/** At either end of a page, where its token is looked for. */
const tokenBytesMax = 300
const tables = '/namespaces/bench/tables'

/** Fills a server, and gives the lines that can be measured on it. */
export async function prepareLines(
  target: CatalogTarget,
  http: HttpConnections,
  sizes: CatalogSizes,
  wanted: (line: string) => boolean,
): Promise<readonly CatalogLine[]> {
  await http.demand('POST', '/namespaces', '{"namespace":["bench"]}')
  const lines: CatalogLine[] = []
  for (const snapshots of sizes.snapshots) {
    if (!loadModes.some((mode) => wanted(loadName(snapshots, mode)))) continue
    await registerHistory(target, http, snapshots)
    lines.push(...(await loadLines(http, snapshots)).filter(({ name }) => wanted(name)))
  }
  const rest = [createLine(http, sizes), hotLine(http, sizes), manyLine(http, sizes), listLine(http)]
  lines.push(...rest.filter(({ name }) => wanted(name)))
  if (wanted('commit-many')) {
    const names = Array.from({ length: sizes.committedTables }, (_, at) => `many_${at}`)
    for (const name of names) await http.demand('POST', tables, createBody(name))
  }
  if (wanted('list')) await fillList(target, http, sizes.listedTables)
  return lines
}

async function registerHistory(
  target: CatalogTarget,
  http: HttpConnections,
  snapshots: number,
): Promise<void> {
  const uuid = randomUUID()
  const name = `snapshots_${snapshots}`
  const location = `${target.tables}/${name}`
  const file = `${location}/metadata/00000-${randomUUID()}.metadata.json`
  await target.writeMetadata(file, tableHistory(uuid, location, snapshots, Date.now()))
  const body = JSON.stringify({ name, 'metadata-location': file })
  await http.demand('POST', '/namespaces/bench/register', body)
}

const loadModes = ['all', 'refs'] as const

function loadName(snapshots: number, mode: (typeof loadModes)[number]): string {
  return `load-${snapshots}-${mode}`
}

/**
 * Loads of one table: with all of its snapshots, and with those that a branch or tag points at. How many snapshots and
 * entries of the log an answer holds is a figure of its own: a server that leaves the history out does less.
 */
async function loadLines(http: HttpConnections, snapshots: number): Promise<readonly CatalogLine[]> {
  const lines: CatalogLine[] = []
  for (const mode of loadModes) {
    const path = `${tables}/snapshots_${snapshots}?snapshots=${mode}`
    const held = heldHistory(await http.demand('GET', path))
    const load = async (): Promise<number> => {
      const { status } = await http.send('GET', path)
      if (status !== 200) throw new Error(`a load was answered with ${status}`)
      return 0
    }
    lines.push({
      name: loadName(snapshots, mode),
      run: async (limits) => ({
        ...(await runClosedLoop({ ...limits, operationsMax: readsMax }, load)),
        ...held,
      }),
    })
  }
  return lines
}

function createLine(http: HttpConnections, { changesMax }: CatalogSizes): CatalogLine {
  return {
    name: 'create',
    run: (limits) => {
      const bodies = Array.from({ length: changesMax }, () =>
        createBody(`t_${randomUUID().replaceAll('-', '')}`),
      )
      return runClosedLoop({ ...limits, operationsMax: changesMax }, async (_, count) => {
        await http.demand('POST', tables, bodies[count])
        return 0
      })
    },
  }
}

/** Every connection commits to one table, new in each run. */
function hotLine(http: HttpConnections, { changesMax }: CatalogSizes): CatalogLine {
  return {
    name: 'commit-hot',
    run: async (limits) => {
      const name = `hot_${randomUUID().replaceAll('-', '')}`
      await http.demand('POST', tables, createBody(name))
      return runClosedLoop({ ...limits, operationsMax: changesMax }, () => append(http, name))
    },
  }
}

function manyLine(http: HttpConnections, { changesMax, committedTables }: CatalogSizes): CatalogLine {
  let next = 0
  return {
    name: 'commit-many',
    run: (limits) =>
      runClosedLoop({ ...limits, operationsMax: changesMax }, () =>
        append(http, `many_${next++ % committedTables}`),
      ),
  }
}

/** Load, commit on what was loaded and, when another was faster, again. */
async function append(http: HttpConnections, name: string): Promise<number> {
  for (let repeats = 0; ; repeats++) {
    const loaded = await http.send('GET', `${tables}/${name}`)
    if (loaded.status !== 200) throw new Error(`a load was answered with ${loaded.status}`)
    const body = appendBody(readHead(loaded.body()), Date.now())
    const { status, body: answer } = await http.send('POST', `${tables}/${name}`, body)
    if (status === 200) return repeats
    if (status !== 409)
      throw new Error(`a commit was answered with ${status}: ${answer().toString('utf8').slice(0, 500)}`)
  }
}

/** The whole list as Java's client asks for it: pages of the server's size until there are no more. */
function listLine(http: HttpConnections): CatalogLine {
  return {
    name: 'list',
    run: (limits) =>
      runClosedLoop({ ...limits, operationsMax: readsMax }, async () => {
        let token = ''
        do {
          const path = `/namespaces/many/tables?pageToken=${encodeURIComponent(token)}`
          const { status, body } = await http.send('GET', path)
          if (status !== 200) throw new Error(`a list was answered with ${status}`)
          token = nextToken(body())
        } while (token !== '')
        return 0
      }),
  }
}

/** The token stands before or after the names. */
function nextToken(page: Buffer): string {
  const ends =
    page.toString('latin1', 0, tokenBytesMax) +
    page.toString('latin1', Math.max(0, page.length - tokenBytesMax))
  return /"next-page-token"\s*:\s*"([^"]+)"/.exec(ends)?.[1] ?? ''
}

async function fillList(target: CatalogTarget, http: HttpConnections, count: number): Promise<void> {
  await http.demand('POST', '/namespaces', '{"namespace":["many"]}')
  await target.fillNamespace('many', count)
  const list = await http.demand('GET', '/namespaces/many/tables')
  const found = list.split('"name"').length - 1
  if (found !== count) throw new Error(`${target.name} lists ${found} tables instead of ${count}`)
}
