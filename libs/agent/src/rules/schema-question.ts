import { quoteString } from '../quote-sql.ts'
import type { Proposal } from '../provider.ts'
import { typeName } from '../type-name.ts'
import type { QuestionToken } from './question-token.ts'
import { sameWords, type Scope } from './semantic-model.ts'
import { exampleQuestions } from './suggestion.ts'
import { splitName, stem } from './word.ts'

const tablesPattern =
  /^(?:please )?(?:(?:which|what|list|show|show me|give me)(?: are)?(?: all)?(?: the)? (?:tables|datasets)(?: (?:are there|exist|do you have|do you know|are available|can i (?:ask about|query)|is there))?|tables|show schema)$/
const columnsPattern =
  /^(?:please )?(?:(?:which|what)(?: are)?(?: the)? (?:columns|fields|attributes)(?: (?:does|do|are in|are there in|exist in|of|has|have|in))? (?<a>.+?)(?: have| has| contain)?|(?:list|show|show me|give me)?(?: the)? ?(?:columns|fields|schema|structure) (?:of|in|for) (?<b>.+?)|(?:describe|explain)(?: the)? (?<c>.+?)|(?<d>\S+) (?:columns|schema))$/
const helpPattern = /^(?:help|what can (?:i|you) (?:ask|do|answer)(?: you)?|what questions can i ask)$/

/** Questions about the schema itself, answered from table metadata. */
export function answerSchemaQuestion(
  tokens: readonly QuestionToken[],
  scopes: readonly Scope[],
): Proposal | undefined {
  const text = tokens.map((token) => token.text).join(' ')
  if (helpPattern.test(text)) {
    return { kind: 'clarification', text: 'You can ask, for example:', choices: exampleQuestions(scopes) }
  }
  if (tablesPattern.test(text)) return describeTables(scopes)
  const groups = columnsPattern.exec(text)?.groups
  const named = groups?.['a'] ?? groups?.['b'] ?? groups?.['c'] ?? groups?.['d']
  return named === undefined ? undefined : describeNamed(named, scopes)
}

function describeNamed(named: string, scopes: readonly Scope[]): Proposal | undefined {
  const name = named
    .toLowerCase()
    .replace(/^(?:the|table) /, '')
    .replace(/ table$/, '')
  const words = splitName(name).map(stem)
  const exact = scopes.filter(({ table }) => table.description.name.toLowerCase() === name)
  const found = exact.length > 0 ? exact : scopes.filter(({ table }) => sameWords(table.words, words))
  const [scope] = found
  if (scope === undefined) return undefined
  if (found.length === 1) return describeColumns(scope)
  const choices = found.map(({ table }) => `describe ${table.description.name}`)
  return { kind: 'clarification', text: `Several tables are named "${name}". Which one?`, choices }
}

function describeTables(scopes: readonly Scope[]): Proposal {
  const rows = scopes.map(({ table: { description } }) => {
    const count =
      description.rowCount === undefined ? 'CAST(NULL AS BIGINT)' : `CAST(${description.rowCount} AS BIGINT)`
    return `SELECT ${quoteString(description.name)} AS "table", ${count} AS "rows", ${textOrNull(description.doc)} AS "description"`
  })
  const sql = `${rows.join(' UNION ALL ')} ORDER BY "table"`
  const noun = scopes.length === 1 ? 'is one table' : `are ${scopes.length} tables`
  return {
    kind: 'sql',
    sql,
    describe: () => `There ${noun}: ${scopes.map(({ table }) => table.description.name).join(', ')}.`,
  }
}

function describeColumns({ table: { description } }: Scope): Proposal {
  const rows = description.columns.map(
    ({ name, type, required, doc }, index) =>
      `SELECT ${index + 1} AS "position", ${quoteString(name)} AS "column", ${quoteString(typeName(type))} AS "type", ` +
      `${required} AS "required", ${textOrNull(doc)} AS "description"`,
  )
  const names = description.columns.map(({ name }) => name).join(', ')
  const sql = `${rows.join(' UNION ALL ')} ORDER BY "position"`
  return {
    kind: 'sql',
    sql,
    describe: () => `${description.name} has ${description.columns.length} columns: ${names}.`,
  }
}

function textOrNull(text: string | undefined): string {
  return text === undefined ? 'CAST(NULL AS VARCHAR)' : quoteString(text)
}
