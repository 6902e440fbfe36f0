import { afterAll, expect, it } from 'vitest'

import { describeObjectStore } from '../object-store-contract.ts'
import { clearMemoryStore, openMemoryStore } from './index.ts'

let tests = 0

describeObjectStore('the memory store', async () => ({
  store: openMemoryStore(),
  base: `memory://contract/${(tests += 1)}`,
}))

afterAll(() => clearMemoryStore('contract'))

it('is one for all who open it, and forgets by name', async () => {
  await openMemoryStore().put('memory://one/a', new Uint8Array(1))
  await openMemoryStore().put('memory://one-more/a', new Uint8Array(1))
  expect(await openMemoryStore().head('memory://one/a')).toBeDefined()
  clearMemoryStore('one')
  expect(await openMemoryStore().head('memory://one/a')).toBeUndefined()
  expect(await openMemoryStore().head('memory://one-more/a')).toBeDefined()
  clearMemoryStore('one-more')
})

it('takes its times from the clock', async () => {
  const store = openMemoryStore({ clock: { now: () => 1234 } })
  await store.put('memory://clock/a', new Uint8Array(1))
  expect(await store.head('memory://clock/a')).toMatchObject({ lastModifiedMs: 1234 })
  clearMemoryStore('clock')
})
