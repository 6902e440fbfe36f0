import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '@floe/catalog'
import { openSqlCatalog } from '@floe/catalog/sql'
import { clearMemoryStore, openMemoryStore } from '@floe/storage/memory'
import { manualClock, startPostgres } from '@floe/testing'
import type { TestPostgres } from '@floe/testing'
import { createCatalogRoutes } from './catalog-routes.ts'

const store = openMemoryStore()
const clock = manualClock(1_700_000_000_000)

let postgres: TestPostgres
let catalog: Catalog
let routes: ReturnType<typeof createCatalogRoutes>

beforeEach(async () => {
  postgres = await startPostgres()
  catalog = await openSqlCatalog(
    {
      database: { kind: 'postgres', url: postgres.url },
      warehouse: 'memory://lost/warehouse',
      clock,
      uuid: randomUUID,
    },
    { store },
  )
  routes = createCatalogRoutes({ catalog, clock })
})

afterEach(async () => {
  await catalog.close()
  await postgres.stop()
  clearMemoryStore('lost')
})

function createNamespace(name: string): Promise<Response> | Response {
  return routes.request('/v1/namespaces', { method: 'POST', body: JSON.stringify({ namespace: [name] }) })
}

/** Has the server end the session of each insert at a moment: `deferred` ones run within COMMIT. */
async function endSessionsAt(moment: 'at once' | 'in COMMIT'): Promise<void> {
  await postgres.query(`
    CREATE FUNCTION floe_catalog.end_session() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END'`)
  const deferral = moment === 'at once' ? '' : 'DEFERRABLE INITIALLY DEFERRED'
  await postgres.query(`
    CREATE CONSTRAINT TRIGGER end_session AFTER INSERT ON floe_catalog.namespaces ${deferral}
    FOR EACH ROW EXECUTE FUNCTION floe_catalog.end_session()`)
}

describe('a change whose database connection is lost', () => {
  it.each(['at once', 'in COMMIT'] as const)(
    'again and again %s, and surely without effect, is 503',
    async (moment) => {
      await endSessionsAt(moment)
      const response = await createNamespace('shop')
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({
        error: { type: 'ServiceUnavailableException', code: 503 },
      })
      expect(await catalog.listNamespaces()).toEqual([])
    },
  )

  it('for good is 503 too, as nothing was sent', async () => {
    await postgres.stop()
    const response = await createNamespace('shop')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: { type: 'ServiceUnavailableException' } })
  })

  it('within COMMIT, with a server that cannot be asked, is 500 CommitStateUnknownException', async () => {
    // The server goes down in the middle of COMMIT: nobody can say what became of it.
    await postgres.query(`
      CREATE FUNCTION floe_catalog.wait() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'`)
    await postgres.query(`
      CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON floe_catalog.namespaces DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION floe_catalog.wait()`)
    const answering = createNamespace('shop')
    const waiting = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    await expect.poll(() => postgres.query(waiting), { timeout: 30_000 }).toEqual([{ count: 1 }])
    await postgres.stop()
    const response = await answering
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ error: { type: 'CommitStateUnknownException', code: 500 } })
  })
})
