import type { PrimitiveType, PrimitiveValue, Type } from '@floe/iceberg'
import type { FailedAttempt } from '../provider.ts'
import { quoteIdentifier, quoteTable } from '../quote-sql.ts'
import type { ColumnDescription, TableDescription } from '../table-directory.ts'
import { typeName } from '../type-name.ts'

/** Characters of the schema part. Default of the provider's `schemaCharactersMax`. */
export const schemaCharactersMaxDefault = 60_000

/** How the model must reply; plain text, because small models break JSON more often than SQL. */
export const systemPrompt = `You write SQL for DuckDB over the tables below. Reply with exactly one of:
- one SELECT statement in a \`\`\`sql block (WITH is allowed). No other statement, no comment.
- CLARIFY: <question> | <complete question 1> | <complete question 2>   when the question can be read in several ways.
- CANNOT: <reason>   when the tables do not hold the answer.
Rules: use only the listed tables and columns, with their namespace, quoted with double quotes where needed. Timestamps with
time zone are in UTC. Give every computed column a name. Order the rows, and limit rankings. Never invent values.`

/**
 * The schema as text: names, types, documentation, row counts and the bounds that table metadata holds. No row is read for
 * it. Text and binary bounds are left out, because they are values of rows.
 */
export function schemaPrompt(tables: readonly TableDescription[], charactersMax: number): string {
  const parts: string[] = []
  let left = charactersMax
  for (const table of tables) {
    const full = tableText(table, true)
    // Names without details are still better than a missing table.
    const text = full.length <= left ? full : tableText(table, false)
    if (text.length > left) break
    parts.push(text)
    left -= text.length
  }
  return parts.join('\n')
}

function tableText(table: TableDescription, hasDetails: boolean): string {
  const rows = table.rowCount === undefined ? '' : ` (${table.rowCount} rows)`
  const doc = table.doc === undefined || !hasDetails ? '' : `: ${oneLine(table.doc)}`
  const columns = table.columns.map((column) => `  ${columnText(column, hasDetails)}`)
  return `TABLE ${quoteTable(table.name)}${rows}${doc}\n${columns.join('\n')}\n`
}

function columnText(column: ColumnDescription, hasDetails: boolean): string {
  const head = `${quoteIdentifier(column.name)} ${typeName(column.type)}`
  if (!hasDetails) return head
  const required = column.required ? ' not null' : ''
  const doc = column.doc === undefined ? '' : `: ${oneLine(column.doc)}`
  return `${head}${required}${boundsText(column)}${doc}`
}

function boundsText({ type, lowerBound, upperBound }: ColumnDescription): string {
  if (lowerBound === undefined || upperBound === undefined) return ''
  const [low, high] = [boundText(type, lowerBound), boundText(type, upperBound)]
  return low === undefined || high === undefined ? '' : ` [${low} .. ${high}]`
}

function boundText(type: Type, value: PrimitiveValue): string | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array) return undefined
  switch (type.kind as PrimitiveType['kind']) {
    case 'date':
      return isoText(Number(value) * 86_400_000)?.slice(0, 10)
    case 'timestamp':
    case 'timestamptz':
      return isoText(Number(value) / 1000)
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return isoText(Number(value) / 1_000_000)
    case 'decimal':
      return type.kind === 'decimal' ? String(Number(value) / 10 ** type.scale) : undefined
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return String(value)
    default:
      return undefined
  }
}

/** Undefined outside the years that a JavaScript date can hold. */
function isoText(ms: number): string | undefined {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** Column documentation is foreign text: without line breaks it cannot pass for an instruction of its own. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300)
}

/** The question, with what was wrong with the statements before. */
export function questionPrompt(question: string, nowMs: number, failures: readonly FailedAttempt[]): string {
  const repairs = failures.map(
    ({ sql, message }) => `This was refused:\n\`\`\`sql\n${sql}\n\`\`\`\nError: ${message}\nCorrect it.`,
  )
  return [
    `Today is ${new Date(nowMs).toISOString().slice(0, 10)}.`,
    `Question: ${question}`,
    ...repairs,
  ].join('\n\n')
}
