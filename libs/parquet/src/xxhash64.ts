/** The hash of the last call of `xxhash64`, as two unsigned halves: no BigInt, and no object for each value. */
export let hashHigh = 0
export let hashLow = 0

type Word = readonly [high: number, low: number]

const prime1: Word = [0x9e3779b1, 0x85ebca87]
const prime2: Word = [0xc2b2ae3d, 0x27d4eb4f]
const prime3: Word = [0x165667b1, 0x9e3779f9]
const prime4: Word = [0x85ebca77, 0xc2b2ae63]
const prime5: Word = [0x27d4eb2f, 0x165667c5]

const laneBytes = 8
const stripeBytes = 32

/**
 * XXH64 with seed 0 of data[start, end), which parquet-format's BloomFilter.md asks for.
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
export function xxhash64(data: Uint8Array, start: number, end: number): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const length = end - start
  let at = start
  if (length < stripeBytes) set(prime5[0], prime5[1])
  else at = hashStripes(view, start, end)
  add(Math.floor(length / 2 ** 32), length >>> 0)
  for (; at + laneBytes <= end; at += laneBytes) {
    const [high, low] = [hashHigh, hashLow]
    round(0, 0, view.getUint32(at + 4, true), view.getUint32(at, true))
    exclusiveOr(high, low)
    rotate(27)
    multiply(prime1)
    add(prime4[0], prime4[1])
  }
  if (at + 4 <= end) {
    const [high, low] = [hashHigh, hashLow]
    set(0, view.getUint32(at, true))
    multiply(prime1)
    exclusiveOr(high, low)
    rotate(23)
    multiply(prime2)
    add(prime3[0], prime3[1])
    at += 4
  }
  for (; at < end; at++) {
    const [high, low] = [hashHigh, hashLow]
    set(0, view.getUint8(at))
    multiply(prime5)
    exclusiveOr(high, low)
    rotate(11)
    multiply(prime1)
  }
  avalanche()
}

/** Four accumulators over 32 bytes a step. Returns where the rest begins. */
function hashStripes(view: DataView, start: number, end: number): number {
  const lanes: [number, number][] = [
    sum(prime1, prime2),
    [prime2[0], prime2[1]],
    [0, 0],
    sum([0, 0], [~prime1[0] >>> 0, (~prime1[1] + 1) >>> 0]),
  ]
  let at = start
  for (; at + stripeBytes <= end; at += stripeBytes) {
    lanes.forEach((lane, index) => {
      const from = at + index * laneBytes
      round(lane[0], lane[1], view.getUint32(from + 4, true), view.getUint32(from, true))
      lane[0] = hashHigh
      lane[1] = hashLow
    })
  }
  mergeLanes(lanes)
  return at
}

const laneRotations = [1, 7, 12, 18] as const

function mergeLanes(lanes: readonly Word[]): void {
  let total: Word = [0, 0]
  lanes.forEach((lane, index) => {
    set(lane[0], lane[1])
    rotate(laneRotations[index] ?? 1)
    total = sum(total, [hashHigh, hashLow])
  })
  let [high, low] = total
  for (const lane of lanes) {
    round(0, 0, lane[0], lane[1])
    exclusiveOr(high, low)
    multiply(prime1)
    add(prime4[0], prime4[1])
    high = hashHigh
    low = hashLow
  }
  set(high, low)
}

/** hash = rotate(accumulator + lane * prime2, 31) * prime1 */
function round(high: number, low: number, laneHigh: number, laneLow: number): void {
  set(laneHigh, laneLow)
  multiply(prime2)
  add(high, low)
  rotate(31)
  multiply(prime1)
}

function avalanche(): void {
  shiftMix(33)
  multiply(prime2)
  shiftMix(29)
  multiply(prime3)
  shiftMix(32)
}

/** hash ^= hash >>> count */
function shiftMix(count: number): void {
  if (count >= 32) exclusiveOr(0, hashHigh >>> (count - 32))
  else exclusiveOr(hashHigh >>> count, (hashLow >>> count) | (hashHigh << (32 - count)))
}

function set(high: number, low: number): void {
  hashHigh = high
  hashLow = low
}

function exclusiveOr(high: number, low: number): void {
  hashHigh = (hashHigh ^ high) >>> 0
  hashLow = (hashLow ^ low) >>> 0
}

function add(high: number, low: number): void {
  const total = hashLow + low
  hashLow = total >>> 0
  hashHigh = (hashHigh + high + (total > 0xffff_ffff ? 1 : 0)) >>> 0
}

function sum(left: Word, right: Word): [number, number] {
  const low = left[1] + right[1]
  return [(left[0] + right[0] + (low > 0xffff_ffff ? 1 : 0)) >>> 0, low >>> 0]
}

function rotate(count: number): void {
  const high = ((hashHigh << count) | (hashLow >>> (32 - count))) >>> 0
  hashLow = ((hashLow << count) | (hashHigh >>> (32 - count))) >>> 0
  hashHigh = high
}

/** The low 64 bits of the product, from 16-bit halves: every sum stays below 2^32. */
function multiply([high, low]: Word): void {
  const [a0, a1] = [hashLow & 0xffff, hashLow >>> 16]
  const [b0, b1] = [low & 0xffff, low >>> 16]
  const first = a0 * b0
  const middle = a1 * b0 + (first >>> 16)
  const cross = (middle & 0xffff) + a0 * b1
  const upper = a1 * b1 + (middle >>> 16) + (cross >>> 16)
  hashHigh = (upper + Math.imul(hashHigh, low) + Math.imul(hashLow, high)) >>> 0
  hashLow = ((cross << 16) | (first & 0xffff)) >>> 0
}
