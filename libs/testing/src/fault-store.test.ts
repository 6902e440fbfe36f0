import { expect, it } from 'vitest'
import { FloeError } from '@floe/iceberg'
import { openMemoryStore } from '@floe/storage/memory'
import { faultStore } from './fault-store.ts'
import { manualClock } from './manual-clock.ts'
import { seededRandom } from './seeded-random.ts'

const bytes = new Uint8Array([1, 2, 3])

async function outcomes(seed: number): Promise<readonly boolean[]> {
  const store = faultStore(openMemoryStore(), { random: seededRandom(seed), errorRate: 0.5 })
  const results: boolean[] = []
  for (let i = 0; i < 40; i++) {
    results.push(
      await store.put(`memory://t/${i}`, bytes).then(
        () => true,
        () => false,
      ),
    )
  }
  return results
}

it('repeats its faults with the same seed and varies them with another', async () => {
  const first = await outcomes(1)
  expect(await outcomes(1)).toEqual(first)
  expect(await outcomes(2)).not.toEqual(first)
  expect(new Set(first)).toEqual(new Set([true, false]))
})

it('fails before the effect, or after it when the answer is lost', async () => {
  const inner = openMemoryStore()
  const plan = { random: seededRandom(3), errorRate: 1, operations: ['put'] as const }
  await expect(faultStore(inner, plan).put('memory://t/a', bytes)).rejects.toBeInstanceOf(FloeError)
  expect(await inner.head('memory://t/a')).toBeUndefined()
  await expect(
    faultStore(inner, { ...plan, lostAnswerRate: 1 }).put('memory://t/a', bytes),
  ).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  expect(await inner.get('memory://t/a')).toEqual(bytes)
})

it('breaks uploads and lets them be aborted', async () => {
  const inner = openMemoryStore()
  const store = faultStore(inner, { random: seededRandom(4), errorRate: 1, operations: ['complete'] })
  const upload = await store.openUpload('memory://t/b')
  await upload.write(bytes)
  await expect(upload.complete()).rejects.toMatchObject({ code: 'unavailable' })
  await upload.abort()
  expect(await inner.head('memory://t/b')).toBeUndefined()
})

it('concerns only the chosen locations and waits as long as the plan says', async () => {
  const clock = manualClock(100)
  const sleep = (ms: number): Promise<void> => Promise.resolve(clock.advance(ms))
  const latency = { maxMs: 50, sleep }
  const store = faultStore(openMemoryStore(), {
    random: seededRandom(5),
    errorRate: 1,
    latency,
    locations: (location) => location.endsWith('bad'),
  })
  await store.put('memory://t/good', bytes)
  expect(clock.now()).toBe(100)
  await expect(store.put('memory://t/bad', bytes)).rejects.toBeInstanceOf(FloeError)
  expect(clock.now()).toBeGreaterThan(100)
  expect(clock.now()).toBeLessThanOrEqual(150)
})
