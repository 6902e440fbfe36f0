import { startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import type { CatalogServerName, CatalogTarget } from './catalog-target.ts'
import { startFloe } from './floe-target.ts'
import { startNessieTarget } from './nessie-target.ts'
import { startReference } from './reference-target.ts'

export type CatalogTargets = AsyncDisposable & { readonly all: readonly CatalogTarget[] }

/** What is acknowledged is on the disk, for every server alike. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }

/** Starts the servers and, where one of them needs it, one PostgreSQL for all. */
export async function startCatalogTargets(
  names: readonly CatalogServerName[],
  log: (text: string) => void,
): Promise<CatalogTargets> {
  const open = new AsyncDisposableStack()
  try {
    const needsPostgres = names.some((name) => name.endsWith('-postgres'))
    const postgres = needsPostgres ? open.use(await startPostgres({ settings: durable })) : undefined
    const all: CatalogTarget[] = []
    for (const name of names) {
      log(`starting ${name}`)
      all.push(open.use(await startTarget(name, postgres)))
    }
    return { all, [Symbol.asyncDispose]: () => open.disposeAsync() }
  } catch (error) {
    await open.disposeAsync()
    throw error
  }
}

function startTarget(name: CatalogServerName, postgres: TestPostgres | undefined): Promise<CatalogTarget> {
  switch (name) {
    case 'floe-sqlite':
      return startFloe(name)
    case 'floe-postgres':
      return startFloe(name, postgres)
    case 'reference-sqlite':
      return startReference(name)
    case 'reference-postgres':
      return startReference(name, postgres)
    case 'nessie':
      return startNessieTarget(name)
  }
}
