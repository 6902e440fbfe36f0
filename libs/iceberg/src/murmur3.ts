const c1 = 0xcc9e2d51
const c2 = 0x1b873593

/** 32-bit x86 Murmur3 of `bytes[start, end)` with seed 0, signed as Java's (spec Appendix B). */
export function murmur3Hash32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let hash = 0
  const blocksEnd = start + ((end - start) & ~3)
  for (let at = start; at < blocksEnd; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = mixBlock(hash, word)
  }
  let tail = 0
  for (let at = end - 1; at >= blocksEnd; at--) tail = (tail << 8) | (bytes[at] as number)
  return finish(hash ^ mixWord(tail), end - start)
}

/** Hash of the 8 little-endian bytes of a long, given as its halves: `murmur3Hash32` without the buffer. */
export function hashLong(low32: number, high32: number): number {
  return finish(mixBlock(mixBlock(0, low32), high32), 8)
}

function mixWord(word: number): number {
  const mixed = Math.imul(word, c1)
  return Math.imul((mixed << 15) | (mixed >>> 17), c2)
}

function mixBlock(hash: number, word: number): number {
  const mixed = hash ^ mixWord(word)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
