import type { Proposal, ProposalRequest, Provider } from '../provider.ts'
import type { SqlResult } from '../sql-runner.ts'
import { compileSql } from './compile-sql.ts'
import { describeQuery, describeResult } from './describe-query.ts'
import { readQuestion, type Reading } from './parse-question.ts'
import type { Ambiguity } from './question-reader.ts'
import { tokenizeQuestion } from './question-token.ts'
import { answerSchemaQuestion } from './schema-question.ts'
import { buildScopes, type Scope } from './semantic-model.ts'
import type { Filter, StructuredQuery, ValueSpan } from './structured-query.ts'
import { exampleQuestions, nearQuestions, replaceSpan } from './suggestion.ts'
import { resolveValues } from './value-lookup.ts'

/** Readings whose values are looked up before the question is given up. */
const readingsMax = 5
/** Readings this much worse than the best one are not considered. */
const costSlack = 12

/**
 * A provider without model and network: a grammar over the schema. Each question is read against each table, and the
 * cheapest reading is compiled to SQL; equal readings are asked about, and words without a place are named.
 */
export function createRulesProvider(): Provider {
  return { name: 'rules', provenance: 'rules', attemptsMax: 1, propose }
}

async function propose(request: ProposalRequest): Promise<Proposal> {
  const { question, tables, clock } = request
  const scopes = buildScopes(tables)
  const tokens = tokenizeQuestion(question)
  const schema = answerSchemaQuestion(tokens, scopes)
  if (schema !== undefined) return schema
  const nowMs = clock.now()
  const readings = scopes
    .map((scope) => readQuestion(tokens, scope, nowMs))
    .sort((left, right) => left.cost - right.cost)
  const [best] = readings
  if (best === undefined) return cannotRead(request, undefined, scopes)
  const near = readings.filter(({ cost }) => cost <= best.cost + costSlack).slice(0, readingsMax)
  let refusal: Proposal | undefined
  for (const cost of new Set(near.map((reading) => reading.cost))) {
    const proposal = await proposeEqual(
      near.filter((reading) => reading.cost === cost),
      request,
      scopes,
    )
    if (proposal.kind !== 'cannot') return proposal
    refusal ??= proposal
    // Understood and impossible: a less likely reading would answer another question.
    if (near.some((reading) => reading.cost === cost && reading.problem !== undefined)) break
  }
  return refusal ?? cannotRead(request, best, scopes)
}

/** Of readings that are equally good, those count whose values are found; several of them are asked about. */
async function proposeEqual(
  equal: readonly Reading[],
  request: ProposalRequest,
  scopes: readonly Scope[],
): Promise<Proposal> {
  const found: { readonly reading: Reading; readonly proposal: Proposal }[] = []
  let refusal: Proposal | undefined
  for (const reading of equal) {
    const proposal = await proposeReading(reading, request, scopes)
    if (proposal.kind === 'cannot') refusal ??= proposal
    else found.push({ reading, proposal })
  }
  const [first] = found
  if (first === undefined) return refusal ?? cannotRead(request, undefined, scopes)
  return found.length === 1
    ? first.proposal
    : askForTable(
        request.question,
        found.map(({ reading }) => reading),
      )
}

async function proposeReading(
  reading: Reading,
  request: ProposalRequest,
  scopes: readonly Scope[],
): Promise<Proposal> {
  if (reading.problem !== undefined || reading.unknown.length > 0) return cannotRead(request, reading, scopes)
  const values = reading.query.filters.filter((filter) => filter.kind === 'value')
  const [ambiguity] = reading.ambiguities
  if (ambiguity !== undefined) return askForColumn(request.question, ambiguity)
  const resolved =
    values.length === 0 ? [] : await resolveValues(values, reading.scope, request.runner, request.signal)
  const filters = new Map<Filter, readonly Filter[]>()
  for (const [index, outcome] of resolved.entries()) {
    if (outcome.kind === 'unknown') return cannotFind(request, outcome.span, reading, scopes)
    if (outcome.kind === 'ambiguous') return askForColumn(request.question, outcome)
    const filter = values[index]
    if (filter !== undefined) filters.set(filter, outcome.filters)
  }
  const query = {
    ...reading.query,
    filters: reading.query.filters.flatMap((filter) => filters.get(filter) ?? [filter]),
  }
  return proposeQuery(query)
}

function proposeQuery(query: StructuredQuery): Proposal {
  return {
    kind: 'sql',
    sql: compileSql(query),
    describe: (result: SqlResult) => describeResult(query, result),
  }
}

function askForColumn(question: string, ambiguity: Ambiguity): Proposal {
  const phrase = question.slice(ambiguity.start, ambiguity.end)
  const choices = ambiguity.replacements.map((text) => replaceSpan(question, ambiguity, text))
  return {
    kind: 'clarification',
    text: `"${phrase}" can be read in ${choices.length} ways. Which one?`,
    choices,
  }
}

function askForTable(question: string, readings: readonly Reading[]): Proposal {
  const names = readings.map(({ scope }) => scope.table.description.name)
  const bare = question.replace(/[\s?.!]+$/, '')
  return {
    kind: 'clarification',
    text: `The question fits ${names.length} tables equally well: ${names.join(', ')}. Which one?`,
    choices: names.map((name) => `${bare} in ${name}`),
  }
}

function cannotRead(
  request: ProposalRequest,
  reading: Reading | undefined,
  scopes: readonly Scope[],
): Proposal {
  const [word] = reading?.unknown ?? []
  if (reading !== undefined && reading.problem === undefined && word !== undefined)
    return cannotFind(request, word, reading, scopes)
  const text = reading?.problem ?? 'The question could not be read.'
  const near = tokenizeQuestion(request.question).flatMap((token) =>
    nearQuestions(request.question, token, scopes),
  )
  return {
    kind: 'cannot',
    reason: 'unsupported',
    text,
    suggestions: near.length > 0 ? near : exampleQuestions(scopes),
  }
}

function cannotFind(
  request: ProposalRequest,
  word: ValueSpan,
  { query, namesTable, scope, unknown }: Reading,
  scopes: readonly Scope[],
): Proposal {
  const values = query.filters.flatMap((filter) =>
    filter.kind === 'value' ? filter.alternatives.flat() : [],
  )
  // A misspelt name explains more than the word that stopped the reading.
  const candidates = [word, ...unknown, ...values].map((span) => ({
    span,
    near: nearQuestions(request.question, span, scopes),
  }))
  const { span, near } = candidates.find((candidate) => candidate.near.length > 0) ?? { span: word, near: [] }
  const rest = namesTable ? ` The rest was read as: ${describeQuery({ ...query, filters: [] })}.` : ''
  return {
    kind: 'cannot',
    reason: 'unknown-word',
    text: `"${span.text}" is not a table, a column or a value that is known here.${rest}`,
    suggestions: near.length > 0 ? near : exampleQuestions(namesTable ? [scope] : scopes),
  }
}
