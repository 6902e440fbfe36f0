import type { CallObserver } from '@floe/storage'
import type { SqlDatabase } from './sql-database.ts'

/** The same database with every statement outside of a transaction, and every transaction, watched. */
export function observeDatabase(sql: SqlDatabase, observe: CallObserver): SqlDatabase {
  return {
    dialect: sql.dialect,
    all: (text, ...values) => observe('database query', () => sql.all(text, ...values)),
    run: (text, ...values) => observe('database change', () => sql.run(text, ...values)),
    transaction: (work, isKept) => observe('database transaction', () => sql.transaction(work, isKept)),
    settle: (work, outcomes) => sql.settle(work, outcomes),
    close: () => sql.close(),
  }
}
