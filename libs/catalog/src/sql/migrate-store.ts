import { FloeError } from '@floe/iceberg'
import { migrations } from './migrations.ts'
import type { SqlDatabase, SqlSession } from './sql-database.ts'

/** A session that can also run texts of several statements. */
export type MigrationSession = SqlSession & { readonly script: (sql: string) => Promise<unknown> }

/** What a driver gives to have its store migrated. */
export type MigrationTarget = {
  readonly dialect: SqlDatabase['dialect']
  /** Names the store in messages. */
  readonly place: string
  /** Ids of the migrations that the store has seen, in their order; none when it is new. */
  readonly findApplied: (session?: MigrationSession) => Promise<readonly string[]>
  /** `work` in one transaction, while no other process migrates the store. */
  readonly exclusively: (work: (session: MigrationSession) => Promise<void>) => Promise<void>
}

/** `position` counts from 1. */
const migrationsTable = `CREATE TABLE IF NOT EXISTS store_migrations (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL
)`

/**
 * Brings a store to the newest layout; several processes may do it at once, and one that is up to date is not locked.
 * @throws FloeError unsupported when a newer Floe has written the store
 */
export async function migrateStore(target: MigrationTarget): Promise<void> {
  if (missingAfter(await target.findApplied(), target.place) === 0) return
  await target.exclusively(async (session) => {
    const applied = await target.findApplied(session)
    missingAfter(applied, target.place)
    await session.script(migrationsTable)
    for (const [at, { id, [target.dialect]: sql }] of migrations.entries()) {
      if (at >= applied.length && sql !== '') await session.script(sql)
      const insert = 'INSERT INTO store_migrations (position, id) VALUES ($1, $2) ON CONFLICT DO NOTHING'
      await session.run(insert, at + 1, id)
    }
  })
}

function missingAfter(applied: readonly string[], place: string): number {
  const unknown = applied.find((id, at) => migrations[at]?.id !== id)
  if (unknown === undefined) return migrations.length - applied.length
  throw new FloeError(
    'unsupported',
    `the catalog at ${place} has store version ${applied.length} (${applied.at(-1)}), this Floe knows ${migrations.length}`,
    { hint: 'upgrade Floe: an older version must not write this catalog' },
  )
}
