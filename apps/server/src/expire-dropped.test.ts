import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { expirePeriodically } from './expire-dropped.ts'
import { openServer } from './testing/open-server.ts'

it('removes the files of a purged table once its retention is over, in any warehouse, and counts it', async () => {
  await using server = await openServer({
    limits: { expireEveryMs: 20 },
    config: 'dropRetentionSeconds: 1\n',
  })
  const namespaces = `${server.url}/v1/logs/namespaces`
  const post = (url: string, body: unknown): Promise<Response> =>
    fetch(url, { method: 'POST', body: JSON.stringify(body) })
  await post(namespaces, { namespace: ['shop'] })
  await post(`${namespaces}/shop/tables`, { name: 'orders', schema: { type: 'struct', fields: [] } })
  const dropped = `${server.url}/management/v1/logs/dropped`
  await fetch(`${namespaces}/shop/tables/orders?purgeRequested=true`, { method: 'DELETE' })
  expect(await (await fetch(dropped)).json()).toMatchObject({ dropped: [{ name: 'orders' }] })
  const list = async (): Promise<readonly string[]> => {
    const names = await readdir(`${server.folder}/logs`, { recursive: true })
    return names.filter((name) => name.endsWith('.metadata.json'))
  }
  while ((await list()).length > 0) await delay(20)
  expect(await (await fetch(dropped)).json()).toMatchObject({ dropped: [] })
  const audit = await fetch(`${server.url}/management/v1/logs/audit?limit=1`)
  expect(await audit.json()).toMatchObject({ entries: [{ action: 'expire', principal: 'floe expiry' }] })
  const text = await (await fetch(`${server.url}/metrics`)).text()
  expect(text).toContain('floe_dropped_expired_total{outcome="expired"} 1')
})

it('goes on after a look that failed, and waits for the one under way when it is ended', async () => {
  const counted: unknown[] = []
  let looks = 0
  let isLooking = false
  const look = async (): Promise<readonly []> => {
    looks += 1
    if (looks === 1) throw new Error('the database is away')
    isLooking = true
    await delay(30)
    isLooking = false
    return []
  }
  {
    await using _expiry = expirePeriodically(look, 1, (counts) => counted.push(counts))
    while (!isLooking) await delay(1)
  }
  expect([isLooking, looks, counted]).toEqual([
    false,
    2,
    [
      { expired: 0, failed: 1 },
      { expired: 0, failed: 0 },
    ],
  ])
})
