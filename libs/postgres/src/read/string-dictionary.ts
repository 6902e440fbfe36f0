/** More distinct strings than this, or than half of the values seen, and a dictionary no longer pays. */
const dictionaryEntriesMax = 16_384
const dictionaryValueBytesMax = 256
const dictionaryBytesMax = 1024 * 1024
/** What a dictionary holds at most: slots, hashes, offsets and bytes, grown by doubling. */
export const dictionaryHeldBytesMax: number = 2.5 * 1024 * 1024
/** Entries before the share of distinct values means something. */
const probationEntries = 1024

const slotCount = dictionaryEntriesMax * 2
const slotMask = slotCount - 1
const recentCount = 1024
const recentShift = 22
/** Keeps the first n bytes of a little-endian word. */
const tailMasks = Int32Array.of(0, 0xff, 0xffff, 0xffffff)
/** Reads and copies go in words: this many bytes past the end of a value must be readable. */
export const wordSlackBytes = 8

/**
 * Distinct byte strings of one column of one batch, found by hashing the receive buffer in place: nothing is copied
 * but the first occurrence.
 */
export class StringDictionary {
  count = 0
  offsets: Int32Array = new Int32Array(1025)
  data: Uint8Array = new Uint8Array(16_384)
  /** Entry index + 1 of each string of one byte; 0 where there is none. */
  readonly singles: Uint16Array = new Uint16Array(256)
  private view: DataView = new DataView(this.data.buffer)
  /** Entry index + 1 by hash; 0 is free. */
  private readonly slots = new Int32Array(slotCount)
  private readonly hashes = new Int32Array(dictionaryEntriesMax)
  /** Entry index + 1 of the string last seen with such ends: mostly the one that is asked for. */
  private readonly recent = new Int32Array(recentCount)

  /**
   * The id of the bytes [at, at + length), or -1 when the dictionary is not worth it.
   * @param seen  values of the column before this one
   */
  intern(source: DataView, at: number, length: number, seen: number): number {
    if (length > dictionaryValueBytesMax) return -1
    const { recent } = this
    const place = placeOfEnds(source, at, length)
    const likely = recent[place] as number
    if (likely > 0 && this.equals(likely - 1, source, at, length)) return likely - 1
    const id = this.find(source, at, length, seen)
    if (id >= 0) recent[place] = id + 1
    return id
  }

  get heldBytes(): number {
    const { offsets, data, slots, hashes, recent } = this
    return offsets.byteLength + data.byteLength + slots.byteLength + hashes.byteLength + recent.byteLength
  }

  reset(): void {
    if (this.count === 0) return
    this.slots.fill(0)
    this.singles.fill(0)
    this.recent.fill(0)
    this.count = 0
  }

  private find(source: DataView, at: number, length: number, seen: number): number {
    const hash = hashBytes(source, at, length)
    const { slots, hashes } = this
    let slot = hash & slotMask
    for (let entry = slots[slot] as number; entry !== 0; entry = slots[slot] as number) {
      if (hashes[entry - 1] === hash && this.equals(entry - 1, source, at, length)) return entry - 1
      slot = (slot + 1) & slotMask
    }
    return this.insert(slot, hash, source, at, length, seen)
  }

  private equals(id: number, source: DataView, at: number, length: number): boolean {
    const start = this.offsets[id] as number
    if ((this.offsets[id + 1] as number) - start !== length) return false
    const { view } = this
    let i = 0
    for (; i + 4 <= length; i += 4) {
      if (view.getInt32(start + i, true) !== source.getInt32(at + i, true)) return false
    }
    const mask = tailMasks[length - i] as number
    return mask === 0 || ((view.getInt32(start + i, true) ^ source.getInt32(at + i, true)) & mask) === 0
  }

  private insert(
    slot: number,
    hash: number,
    source: DataView,
    at: number,
    length: number,
    seen: number,
  ): number {
    const id = this.count
    const start = id === 0 ? 0 : (this.offsets[id] as number)
    if (id === dictionaryEntriesMax || start + length > dictionaryBytesMax) return -1
    if (id > probationEntries && id * 2 > seen) return -1
    this.reserve(id + 2, start + length + wordSlackBytes)
    for (let i = 0; i < length; i += 4) this.view.setInt32(start + i, source.getInt32(at + i, true), true)
    this.offsets[id] = start
    this.offsets[id + 1] = start + length
    this.hashes[id] = hash
    this.slots[slot] = id + 1
    if (length === 1) this.singles[source.getUint8(at)] = id + 1
    this.count = id + 1
    return id
  }

  private reserve(offsets: number, bytes: number): void {
    if (offsets > this.offsets.length) {
      const grown = new Int32Array(this.offsets.length * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    if (bytes > this.data.length) {
      const grown = new Uint8Array(Math.max(bytes, this.data.length * 2))
      grown.set(this.data)
      this.data = grown
      this.view = new DataView(grown.buffer)
    }
  }
}

/** The hash of a whole string is a chain of multiplications; its length and its first and last four bytes are two. */
function placeOfEnds(source: DataView, at: number, length: number): number {
  const first = source.getInt32(at, true)
  const ends =
    length < 4
      ? first & (tailMasks[length] as number)
      : first ^ Math.imul(source.getInt32(at + length - 4, true), 0x85ebca6b)
  return Math.imul(ends ^ length, 0x9e3779b1) >>> recentShift
}

/** Four bytes a step, multiplicative; the tail is masked, not looped. */
function hashBytes(source: DataView, at: number, length: number): number {
  let hash = Math.imul(length, 0x85ebca6b)
  let i = 0
  for (; i + 4 <= length; i += 4) {
    hash = Math.imul(hash ^ source.getInt32(at + i, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  if (i < length) {
    hash = Math.imul(hash ^ (source.getInt32(at + i, true) & (tailMasks[length - i] as number)), 0x9e3779b1)
  }
  return hash ^ (hash >>> 15)
}
