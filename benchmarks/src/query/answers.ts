/** Cells of numbers may differ by this part of the larger one: doubles are summed in no fixed order. */
const relativeDifferenceMax = 1e-9

/** Rows as text. `null` is a cell without a value. */
export type AnswerRows = readonly (readonly (string | null)[])[]

/** A published answer: a header line, then lines of cells parted by bars. */
export function parseAnswer(text: string): AnswerRows {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.slice(1).map((line) => line.split('|'))
}

/** The first difference of two answers in words; `undefined` when there is none. */
export function findDifference(left: AnswerRows, right: AnswerRows): string | undefined {
  if (left.length !== right.length) return `${left.length} rows against ${right.length}`
  for (const [at, row] of left.entries()) {
    const other = right[at] ?? []
    const column = row.findIndex((cell, index) => !sameCell(cell, other[index] ?? null))
    if (row.length !== other.length || column !== -1)
      return `row ${at + 1}, column ${column + 1}: ${row[column]} against ${other[column]}`
  }
  return undefined
}

function sameCell(left: string | null, right: string | null): boolean {
  if (left === right) return true
  if (left === null || right === null || left.trim() === '' || right.trim() === '') return false
  const [a, b] = [Number(left), Number(right)]
  return Math.abs(a - b) <= relativeDifferenceMax * Math.max(Math.abs(a), Math.abs(b))
}
