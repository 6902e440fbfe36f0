import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lakehouse } from './lakehouse.ts'
import { readSettings } from './settings.ts'

const orders = { namespace: ['shop'], name: 'orders' }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-warehouses-'))
  await writeFile(
    path.join(folder, 'floe.config.yaml'),
    'warehouses: { sales: "file:sales", logs: "file:logs" }\n',
  )
})
afterEach(() => rm(folder, { recursive: true }))

function open(warehouse?: string): Lakehouse {
  return new Lakehouse(readSettings({ warehouse }, {}, folder, 1))
}

describe('the warehouses of one database', () => {
  it('hold tables of the same name apart, each below its own location', async () => {
    await using sales = open()
    await using logs = open('logs')
    for (const lakehouse of [sales, logs]) {
      const catalog = await lakehouse.catalog()
      await catalog.createNamespace(['shop'])
      await catalog.createTable(orders, { schema: { schemaId: 0, fields: [], identifierFieldIds: [] } })
    }
    const [inSales, inLogs] = await Promise.all([sales.loadTable(orders), logs.loadTable(orders)])
    expect(inSales.metadata.location).toMatch(/\/sales\/shop\/orders-[0-9a-f]{8}$/)
    expect(inLogs.metadata.location).toMatch(/\/logs\/shop\/orders-[0-9a-f]{8}$/)
    await (await logs.catalog()).dropTable(orders, { purge: true })
    expect(await (await sales.catalog()).listTables(['shop'])).toEqual([orders])
    expect((await readdir(path.join(folder, 'sales'), { recursive: true })).join()).toContain(
      '.metadata.json',
    )
  })

  it('are served together, with the chosen one as the default', async () => {
    await using lakehouse = open('file:logs')
    const routes = await lakehouse.catalogRoutes()
    await (await lakehouse.catalog()).createNamespace(['only'])
    const namespaces = async (at: string): Promise<unknown> =>
      (await routes.request(`/v1${at}/namespaces`)).json()
    expect(await (await routes.request('/v1/config')).json()).toMatchObject({ overrides: { prefix: 'logs' } })
    expect(await namespaces('')).toMatchObject({ namespaces: [['only']] })
    expect(await namespaces('/logs')).toMatchObject({ namespaces: [['only']] })
    expect(await namespaces('/sales')).toMatchObject({ namespaces: [] })
  })

  it('answer to the checks of readiness one by one', async () => {
    await using lakehouse = open()
    expect(await lakehouse.checkReady(AbortSignal.timeout(5000))).toEqual([
      { part: 'catalog' },
      { part: 'storage of sales' },
      { part: 'storage of logs' },
    ])
  })
})
