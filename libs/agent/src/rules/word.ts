const irregular: Readonly<Record<string, string>> = {
  people: 'person',
  children: 'child',
  men: 'man',
  women: 'woman',
}

/** Short forms that are usual in column names. */
const expansions: Readonly<Record<string, string>> = {
  amt: 'amount',
  arr: 'arrival',
  dep: 'departure',
  desc: 'description',
  dest: 'destination',
  dob: 'birth',
  lat: 'latitude',
  lon: 'longitude',
  num: 'number',
  pct: 'percent',
  qty: 'quantity',
  ts: 'timestamp',
}

/**
 * Maps singular and plural of one noun to one string. The result need not be a word: both sides of every comparison go
 * through here.
 */
export function stem(word: string): string {
  const lower = word.toLowerCase()
  const single = dropPlural(irregular[lower] ?? lower)
  const bare = single.length > 3 && single.endsWith('e') ? single.slice(0, -1) : single
  return bare.length > 2 && bare.endsWith('y') ? `${bare.slice(0, -1)}i` : bare
}

function dropPlural(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}i`
  if (/(?:ss|x|ch|sh|us|zz)es$/.test(word)) return word.slice(0, -2)
  return word.length > 3 && /[^suia]s$/.test(word) ? word.slice(0, -1) : word
}

/** `delayed` and `delay`, `posted` and `post`: the stem without a verb's ending. */
export function verbStem(word: string): string {
  const lower = word.toLowerCase()
  for (const ending of ['ing', 'ed']) {
    if (lower.length > ending.length + 2 && lower.endsWith(ending)) {
      return stem(lower.slice(0, -ending.length).replace(/([bdgmnprt])\1$/, '$1'))
    }
  }
  return stem(lower)
}

/** The words of an identifier: at underscores, dashes, spaces, dots and the humps of camel case. */
export function splitName(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
}

export function expandWords(words: readonly string[]): readonly string[] {
  return words.map((word) => expansions[word] ?? word)
}

export function isPlural(word: string): boolean {
  const lower = word.toLowerCase()
  return lower in irregular || dropPlural(lower) !== lower
}

/** Levenshtein distance, counted no further than `distanceMax` + 1. */
export function editDistance(left: string, right: string, distanceMax: number): number {
  if (Math.abs(left.length - right.length) > distanceMax) return distanceMax + 1
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const change = left[row - 1] === right[column - 1] ? 0 : 1
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + change,
        ),
      )
    }
    previous = current
  }
  return previous[right.length] ?? distanceMax + 1
}
