import { isNumeric, isString, timeColumns, type Scope } from './semantic-model.ts'
import { editDistance } from './word.ts'

const suggestionsMax = 5
const distanceMax = 2
/** Shorter words are near to everything. */
const nearWordLengthMin = 4

/** Questions that the schema can answer, as examples. */
export function exampleQuestions(scopes: readonly Scope[]): readonly string[] {
  const examples = scopes.flatMap(({ table }) => {
    const words = table.base.replaceAll('_', ' ')
    const number = table.columns.find((column) => isNumeric(column) && column.words.at(-1) !== 'id')
    const text = table.columns.find(isString)
    return [
      `how many ${words}`,
      ...(number === undefined || text === undefined ? [] : [`average ${number.name} by ${text.name}`]),
      ...(timeColumns(table).length === 1 ? [`${words} per month`] : []),
    ]
  })
  return [...examples.slice(0, suggestionsMax - 1), 'which tables are there']
}

/** The question with `word` replaced by each table or column name that is spelled almost so. */
export function nearQuestions(
  question: string,
  word: { text: string; start: number; end: number },
  scopes: readonly Scope[],
): readonly string[] {
  const names = new Set(scopes.flatMap(({ table }) => [table.base, ...table.columns.map(({ name }) => name)]))
  const text = word.text.toLowerCase()
  if (text.length < nearWordLengthMin) return []
  const limit = text.length === nearWordLengthMin ? 1 : distanceMax
  const near = [...names]
    .map((name) => ({ name, distance: editDistance(text, name.toLowerCase(), limit) }))
    .filter(({ distance }) => distance > 0 && distance <= limit)
    .sort((left, right) => left.distance - right.distance)
  return near.slice(0, suggestionsMax).map(({ name }) => replaceSpan(question, word, name))
}

export function replaceSpan(
  question: string,
  { start, end }: { start: number; end: number },
  text: string,
): string {
  return `${question.slice(0, start)}${text}${question.slice(end)}`
}
