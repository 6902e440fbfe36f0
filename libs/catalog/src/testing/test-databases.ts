import { join } from 'node:path'
import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import type { SqlCatalogSettings } from '../sql/index.ts'

/** One kind of database that a suite runs over. */
type TestDatabases = {
  readonly name: string
  /** Before all tests. */
  readonly start: () => Promise<void>
  /** A database that nobody has used, in `folder` if it is a file. */
  readonly make: (folder: string) => SqlCatalogSettings['database']
  readonly stop: () => Promise<void>
}

function sqlite(): TestDatabases {
  return {
    name: 'SQLite',
    start: async () => {},
    make: (folder) => ({ kind: 'sqlite', path: join(folder, 'state', 'catalog.db') }),
    stop: async () => {},
  }
}

function postgres(): TestDatabases {
  let server: TestPostgres | undefined
  let schemas = 0
  return {
    name: 'PostgreSQL',
    start: async () => {
      server = await startPostgres()
    },
    make: () => ({ kind: 'postgres', url: `${server?.url}?schema=test_${++schemas}` }),
    stop: async () => server?.stop(),
  }
}

/** Every database that the SQL catalog runs on. */
export const testDatabases: readonly TestDatabases[] = [sqlite(), postgres()]
