/** Bytes `start` (inclusive) to `end` (exclusive) of a file. */
export type ByteRange = { readonly start: number; readonly end: number }

/**
 * The same bytes in order, without overlaps.
 * @param gapBytesMax  ranges with at most this between them become one
 */
export function mergeRanges(ranges: readonly ByteRange[], gapBytesMax = 0): readonly ByteRange[] {
  const merged: ByteRange[] = []
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    if (range.end <= range.start) continue
    const last = merged.at(-1)
    if (last !== undefined && range.start - last.end <= gapBytesMax)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
    else merged.push(range)
  }
  return merged
}

/** What `wanted` has and `present` has not, in order. */
export function missingRanges(
  wanted: readonly ByteRange[],
  present: readonly ByteRange[],
): readonly ByteRange[] {
  const held = mergeRanges(present)
  return mergeRanges(wanted).flatMap(({ start, end }) => {
    const gaps: ByteRange[] = []
    let at = start
    for (const range of held) {
      if (range.end <= at || range.start >= end) continue
      if (range.start > at) gaps.push({ start: at, end: range.start })
      at = Math.max(at, range.end)
    }
    if (at < end) gaps.push({ start: at, end })
    return gaps
  })
}

/** Ranges of at most `bytesMax` each. */
export function splitRanges(ranges: readonly ByteRange[], bytesMax: number): readonly ByteRange[] {
  return ranges.flatMap(({ start, end }) =>
    Array.from({ length: Math.ceil((end - start) / bytesMax) }, (_, at) => ({
      start: start + at * bytesMax,
      end: Math.min(end, start + (at + 1) * bytesMax),
    })),
  )
}
