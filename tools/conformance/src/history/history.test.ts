import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres } from '@floe/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkHistory } from './check-history.ts'
import { KillableServer } from './killable-server.ts'
import { runRound } from './run-round.ts'
import type { RoundSettings } from './run-round.ts'
import { explainViolation } from './violation.ts'

/** Kills of one store; the long run sets more. */
const kills = Number(process.env['FLOE_TEST_HISTORY_KILLS'] ?? '10')
const seed = Number(process.env['FLOE_TEST_SEED'] ?? '20260214')
/** A round has tables of its own, so that histories stay short enough to be read file by file. */
const killsPerRound = 10
const clients = 8
/** Violations that a failure prints. */
const shownMax = 3
const timeoutMs = 120_000 + kills * 60_000

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-history-'))
})
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))

/** Rounds of kills over one store; each leaves a history in which nothing is wrong. */
async function runRounds(
  servers: readonly KillableServer[],
  more: Pick<RoundSettings, 'cutConnections'> = {},
): Promise<void> {
  for (let round = 0; round * killsPerRound < kills; round++) {
    const { history, tables } = await runRound({
      ...more,
      namespace: `round-${round}`,
      clients,
      kills: Math.min(killsPerRound, kills - round * killsPerRound),
      seed: seed + round * 1000,
      servers,
    })
    const violations = checkHistory(history, tables).map((violation) => explainViolation(violation, history))
    expect(violations.slice(0, shownMax).join('\n\n')).toBe('')
    // A round in which nothing was committed, or nothing was in flight at a kill, would prove nothing.
    const has = (kind: string, answer: RegExp): boolean =>
      history.operations.some((operation) => operation.kind === kind && answer.test(operation.answers.join()))
    for (const kind of ['append', 'transaction', 'create', 'rename'])
      expect(has(kind, /^20/), kind).toBe(true)
    expect(history.operations.some(({ answers }) => answers.includes('lost'))).toBe(true)
  }
}

it(
  `keeps every acknowledged change once on PostgreSQL whose connections are cut, two servers (seed ${seed}, ${kills} kills)`,
  async () => {
    await using postgres = await startPostgres()
    await postgres.query('CREATE DATABASE catalog')
    const url = postgres.url.replace(/postgres$/, 'catalog')
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'catalog'`
    const flags = ['--catalog', url, '--warehouse', `file:${folder}/warehouse`]
    await using first = await KillableServer.start(folder, flags)
    await using second = await KillableServer.start(folder, flags)
    await runRounds([first, second], { cutConnections: async () => void (await postgres.query(cut)) })
  },
  timeoutMs,
)

it(
  `keeps every acknowledged change once on SQLite, two servers over one file (seed ${seed}, ${kills} kills)`,
  async () => {
    const flags = ['--catalog', `sqlite:${folder}/catalog.db`, '--warehouse', `file:${folder}/warehouse`]
    await using first = await KillableServer.start(folder, flags)
    await using second = await KillableServer.start(folder, flags)
    await runRounds([first, second])
  },
  timeoutMs,
)
