/** A quoted text, quoted name, dollar-quoted text or comment: what a rewrite must leave alone. */
const opaque = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//y

const versionClause =
  /FOR\s+(?:SYSTEM_)?(VERSION|TIME|TIMESTAMP)\s+AS\s+OF\s+((?:TIMESTAMP\s+|DATE\s+)?'(?:[^']|'')*'|\d+|(?:CAST|TRY_CAST|now|to_timestamp|current_timestamp)\b\s*(?:\((?:[^()']|'(?:[^']|'')*'|\((?:[^()']|'(?:[^']|'')*')*\))*\))?)/iy

/**
 * `FOR VERSION AS OF x` and `FOR TIMESTAMP AS OF x`, the spelling of Trino and Spark, as DuckDB's `AT (...)`.
 * DuckDB puts the alias before the version and the others after it: `t FOR VERSION AS OF 1 AS o` becomes
 * `t AS o AT (VERSION => 1)`.
 */
export function rewriteVersionSyntax(sql: string): string {
  if (!/\bAS\s+OF\b/i.test(sql)) return sql
  let rewritten = ''
  let at = 0
  while (at < sql.length) {
    const skipped = matchAt(opaque, sql, at)
    const clause = skipped === undefined && isWordStart(sql, at) ? matchAt(versionClause, sql, at) : undefined
    if (clause !== undefined) {
      const end = at + clause[0].length
      const alias = aliasAt(sql, end)
      const unit = clause[1]?.toUpperCase() === 'VERSION' ? 'VERSION' : 'TIMESTAMP'
      rewritten += `${alias} AT (${unit} => ${clause[2]})`
      at = end + alias.length
    } else {
      const taken = skipped?.[0] ?? sql[at] ?? ''
      rewritten += taken
      at += taken.length
    }
  }
  return rewritten
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
