/** A quoted text, quoted name, dollar-quoted text or comment: what a rewrite must leave alone. */
const opaque = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//y

/** `FOR VERSION AS OF`, the spelling of Trino, and `VERSION AS OF`, which Spark takes too. */
const clauseStart = /(?:FOR\s+)?(?:SYSTEM_)?(VERSION|TIME|TIMESTAMP)\s+AS\s+OF\s+/iy

/** What may follow `AS OF`: a text with or without its type, a number, an interval, a name that may be called. */
const term =
  /(?:(?:TIMESTAMP(?:\s+WITH\s+TIME\s+ZONE)?|DATE)\s+)?'(?:[^']|'')*'|\d+(?:\.\d+)?|INTERVAL\s+(?:'(?:[^']|'')*'|\d+)(?:\s+[A-Za-z]+)?|[A-Za-z_]\w*(?=\s*\()|(?:current_timestamp|current_date|localtimestamp)\b/iy

const operator = /\s*(?:[+-]|::\s*[A-Za-z_]\w*)\s*/y

/**
 * `FOR VERSION AS OF x`, `VERSION AS OF x` and the same with TIMESTAMP, the spelling of Trino and Spark, as DuckDB's
 * `AT (...)`. DuckDB puts the alias before the version and the others after it: `t FOR VERSION AS OF 1 AS o` becomes
 * `t AS o AT (VERSION => 1)`.
 */
export function rewriteVersionSyntax(sql: string): string {
  if (!/\bAS\s+OF\b/i.test(sql)) return sql
  let rewritten = ''
  let at = 0
  while (at < sql.length) {
    const skipped = matchAt(opaque, sql, at)
    const clause = skipped === undefined && isWordStart(sql, at) ? clauseAt(sql, at) : undefined
    if (clause !== undefined) {
      const alias = aliasAt(sql, clause.end)
      rewritten += `${alias} AT (${clause.unit} => ${clause.value})`
      at = clause.end + alias.length
    } else {
      const taken = skipped?.[0] ?? sql[at] ?? ''
      rewritten += taken
      at += taken.length
    }
  }
  return rewritten
}

type Clause = { readonly unit: 'VERSION' | 'TIMESTAMP'; readonly value: string; readonly end: number }

function clauseAt(sql: string, at: number): Clause | undefined {
  const start = matchAt(clauseStart, sql, at)
  if (start === undefined) return undefined
  const from = at + start[0].length
  const end = valueEnd(sql, from)
  if (end === undefined) return undefined
  const unit = start[1]?.toUpperCase() === 'VERSION' ? 'VERSION' : 'TIMESTAMP'
  return { unit, value: sql.slice(from, end), end }
}

/** Where an expression of terms, casts, sums and differences ends. */
function valueEnd(sql: string, from: number): number | undefined {
  let end = termEnd(sql, from)
  while (end !== undefined) {
    const next = matchAt(operator, sql, end)
    if (next === undefined) return end
    const after = end + next[0].length
    const joined = next[0].includes('::') ? after : termEnd(sql, after)
    if (joined === undefined) return end
    end = next[0].includes('::') ? after - trailingSpace(next[0]) : joined
  }
  return undefined
}

function trailingSpace(text: string): number {
  return text.length - text.trimEnd().length
}

function termEnd(sql: string, at: number): number | undefined {
  const name = sql[at] === '(' ? undefined : matchAt(term, sql, at)
  if (name === undefined) return sql[at] === '(' ? closingEnd(sql, at) : undefined
  const end = at + name[0].length
  const open = /^\s*\(/.exec(sql.slice(end))
  const mayBeCalled = /^[A-Za-z_]\w*$/.test(name[0])
  return open !== null && mayBeCalled ? closingEnd(sql, end + open[0].length - 1) : end
}

/** The end behind the parenthesis that closes the one at `at`. */
function closingEnd(sql: string, at: number): number | undefined {
  let depth = 0
  for (let end = at; end < sql.length;) {
    const skipped = matchAt(opaque, sql, end)
    if (skipped === undefined && sql[end] === '(') depth += 1
    if (skipped === undefined && sql[end] === ')') depth -= 1
    end += skipped?.[0].length ?? 1
    if (depth === 0) return end
  }
  return undefined
}

function matchAt(pattern: RegExp, sql: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(sql) ?? undefined
}

function isWordStart(sql: string, at: number): boolean {
  return at === 0 || !/[A-Za-z0-9_$]/.test(sql[at - 1] ?? '')
}

/** Words that follow a table without being its alias. */
const notAnAlias =
  /^(?:WHERE|JOIN|INNER|LEFT|RIGHT|FULL|CROSS|NATURAL|ASOF|POSITIONAL|SEMI|ANTI|ON|USING|GROUP|ORDER|HAVING|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT|QUALIFY|WINDOW|TABLESAMPLE|PIVOT|UNPIVOT|SELECT|FETCH|FOR)$/i

function aliasAt(sql: string, end: number): string {
  const match = /^\s+(AS\s+)?("(?:[^"]|"")*"|[A-Za-z_]\w*)/i.exec(sql.slice(end))
  if (match === null) return ''
  return match[1] === undefined && notAnAlias.test(match[2] ?? '') ? '' : match[0]
}
