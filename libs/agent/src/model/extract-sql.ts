/** What a model's reply holds: one statement, a question back, a refusal, or nothing that can be used. */
export type ModelReply =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'clarification'; readonly text: string; readonly choices: readonly string[] }
  | { readonly kind: 'cannot'; readonly text: string }
  | { readonly kind: 'nothing' }

/**
 * Reads a reply of any shape that small models produce: fenced SQL, JSON with a `sql` member, bare SQL within prose,
 * thoughts in front of it. Text that is not a SELECT is returned as it stands, for the runner to refuse.
 */
export function readModelReply(reply: string): ModelReply {
  // Reasoning models put their thoughts, and sometimes rejected SQL, into this element.
  const text = reply.replace(/<think>[\s\S]*?(?:<\/think>|$)/gi, '').trim()
  const cannot = /^\W*CANNOT\s*:\s*(?<why>.+)/im.exec(text)?.groups?.['why']
  if (cannot !== undefined) return { kind: 'cannot', text: cannot.trim() }
  const clarify = /^\W*CLARIFY\s*:\s*(?<ask>.+)/im.exec(text)?.groups?.['ask']
  if (clarify !== undefined) return readClarification(clarify)
  const sql = fencedSql(text) ?? jsonSql(text) ?? bareSql(text)
  const trimmed = sql?.trim().replace(/(?:;\s*)+$/, '') ?? ''
  return trimmed === '' ? { kind: 'nothing' } : { kind: 'sql', sql: trimmed }
}

function readClarification(line: string): ModelReply {
  const [text = '', ...choices] = line.split('|').map((part) => part.trim())
  return { kind: 'clarification', text, choices: choices.filter((choice) => choice !== '') }
}

/** The last fence: models correct themselves downwards. */
function fencedSql(text: string): string | undefined {
  const fences = [...text.matchAll(/```(?:\w*[^\S\n]*\n)?(?<body>[\s\S]*?)(?:```|$)/g)]
  const body = fences.at(-1)?.groups?.['body']
  if (body === undefined) return undefined
  return jsonSql(body) ?? body
}

function jsonSql(text: string): string | undefined {
  const start = text.indexOf('{')
  const end = text.lastIndexOf('}')
  if (start === -1 || end < start) return undefined
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1))
    if (typeof value !== 'object' || value === null) return undefined
    const sql: unknown = Object.entries(value).find(([key]) => /^(?:sql|query)$/i.test(key))?.[1]
    return typeof sql === 'string' ? sql : undefined
  } catch {
    return undefined
  }
}

/** From the first word that starts a statement at a line's start, to the blank line after it. */
function bareSql(text: string): string | undefined {
  const match =
    /^(?:SELECT|WITH|FROM|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COPY|ATTACH|PRAGMA)\b[\s\S]*?(?=\n\s*\n|$(?![\s\S]))/im.exec(
      text,
    )
  return match?.[0]
}
