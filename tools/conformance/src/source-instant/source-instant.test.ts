import { seededRandom } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { describeBusySource } from './busy-source.ts'
import type { BusyWriter } from './busy-source.ts'

/** TPC-B as pgbench runs it, by sessions of our own. */
const branches = 4
const tellersPerBranch = 10
const accountsPerBranch = 5_000
const sessions = 4
const deltaMax = 5_000

const seed = Number(process.env['FLOE_TEST_SEED'] ?? '20260214')

const writer: BusyWriter = {
  makeTables: async (postgres) => {
    await postgres.query(`
      CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int NOT NULL, filler char(88));
      CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int NOT NULL, tbalance int NOT NULL, filler char(84));
      CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int NOT NULL, abalance int NOT NULL, filler char(84));
      CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
      INSERT INTO pgbench_branches SELECT i, 0 FROM generate_series(1, ${branches}) i;
      INSERT INTO pgbench_tellers SELECT i, 1 + i % ${branches}, 0 FROM generate_series(1, ${branches * tellersPerBranch}) i;
      INSERT INTO pgbench_accounts SELECT i, 1 + i % ${branches}, 0, '' FROM generate_series(1, ${branches * accountsPerBranch}) i`)
  },
  start: (postgres) => {
    let isRunning = true
    const runs = Array.from({ length: sessions }, (_, index) =>
      writeUntil(postgres, seed + index, () => !isRunning),
    )
    return {
      stop: async () => {
        isRunning = false
        await Promise.all(runs)
      },
    }
  },
}

async function writeUntil(postgres: TestPostgres, seed: number, isOver: () => boolean): Promise<void> {
  const random = seededRandom(seed)
  const upTo = (max: number): number => 1 + Math.floor(random() * max)
  const session = await postgres.openSession()
  try {
    while (!isOver()) {
      const [bid, tid] = [upTo(branches), upTo(branches * tellersPerBranch)]
      const [aid, delta] = [upTo(branches * accountsPerBranch), upTo(2 * deltaMax) - deltaMax]
      await session.query(`BEGIN;
        UPDATE pgbench_accounts SET abalance = abalance + ${delta} WHERE aid = ${aid};
        UPDATE pgbench_tellers SET tbalance = tbalance + ${delta} WHERE tid = ${tid};
        UPDATE pgbench_branches SET bbalance = bbalance + ${delta} WHERE bid = ${bid};
        INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${tid}, ${bid}, ${aid}, ${delta}, CURRENT_TIMESTAMP);
        COMMIT`)
    }
  } finally {
    await session.end()
  }
}

describeBusySource(`${sessions} sessions (seed ${seed})`, writer)
