const blockBytes = 65_536
const hashBits = 14
const minMatch = 4

/**
 * Snappy block format (google/snappy format_description.txt): the length as a varint, then literals and copies. Input
 * is cut in blocks of 64 KiB, so that every offset fits in two bytes.
 */
export function compressSnappy(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6))
  const table = new Uint16Array(1 << hashBits)
  let at = 0
  let rest = input.length
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128
  out[at++] = rest
  for (let start = 0; start < input.length; start += blockBytes) {
    table.fill(0)
    at = compressBlock(input, start, Math.min(start + blockBytes, input.length), table, out, at)
  }
  return out.subarray(0, at)
}

function compressBlock(
  input: Uint8Array,
  start: number,
  end: number,
  table: Uint16Array,
  out: Uint8Array,
  position: number,
): number {
  let at = position
  let literalStart = start
  let index = start + 1
  let misses = 0
  while (index + minMatch <= end) {
    const word = wordAt(input, index)
    const slot = Math.imul(word, 0x1e35_a7bd) >>> (32 - hashBits)
    const candidate = start + (table[slot] as number)
    table[slot] = index - start
    if (candidate >= index || wordAt(input, candidate) !== word) {
      // Incompressible stretches are skipped faster and faster.
      index += 1 + (misses++ >>> 5)
      continue
    }
    misses = 0
    let length = minMatch
    while (index + length < end && input[candidate + length] === input[index + length]) length++
    at = writeLiteral(input, literalStart, index, out, at)
    at = writeCopy(index - candidate, length, out, at)
    index += length
    literalStart = index
  }
  return writeLiteral(input, literalStart, end, out, at)
}

function wordAt(input: Uint8Array, at: number): number {
  return (
    (input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)
  )
}

function writeLiteral(
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  position: number,
): number {
  const length = to - from
  if (length === 0) return position
  let at = position
  const code = length - 1
  if (code < 60) out[at++] = code << 2
  else if (code < 256) {
    out[at++] = 60 << 2
    out[at++] = code
  } else {
    out[at++] = 61 << 2
    out[at++] = code
    out[at++] = code >>> 8
  }
  out.set(input.subarray(from, to), at)
  return at + length
}

/** Two-byte-offset copies of at most 64 bytes each. */
function writeCopy(offset: number, length: number, out: Uint8Array, position: number): number {
  let at = position
  let rest = length
  while (rest > 0) {
    const step = Math.min(rest, 64)
    out[at++] = ((step - 1) << 2) | 2
    out[at++] = offset
    out[at++] = offset >>> 8
    rest -= step
  }
  return at
}
