export type QuestionToken = {
  readonly kind: 'word' | 'number' | 'date' | 'string' | 'identifier' | 'symbol'
  /** Lower case for words; digits without separators for numbers; the content of quotes. */
  readonly text: string
  readonly raw: string
  readonly start: number
  readonly end: number
}

const pattern =
  /(?<string>'[^']*'(?!\p{L})|“[^”]*”|‘[^’]*’(?!\p{L}))|(?<identifier>"[^"]*"|`[^`]*`)|(?<date>\d{4}-\d{2}(?:-\d{2})?(?![\d-]))|(?<number>[-−]?\$?\d[\d,]*(?:\.\d+)?(?:k|m|bn)?(?![\p{L}\p{N}_]))|(?<symbol><=|>=|<>|!=|[<>=,;&()])|(?<word>[\p{L}\p{N}_$@#]+(?:[.'’@:/-][\p{L}\p{N}_]+)*)/giu

const multipliers: Readonly<Record<string, string>> = { k: '000', m: '000000', bn: '000000000' }

/** Splits a question into words, numbers, dates, quoted values and comparison signs, with their places in it. */
export function tokenizeQuestion(question: string): readonly QuestionToken[] {
  const tokens: QuestionToken[] = []
  for (const match of question.matchAll(pattern)) {
    const raw = match[0]
    const place = { raw, start: match.index, end: match.index + raw.length }
    tokens.push({ ...place, ...readToken(raw, match.groups ?? {}) })
  }
  return tokens
}

function readToken(
  raw: string,
  groups: Record<string, string | undefined>,
): Pick<QuestionToken, 'kind' | 'text'> {
  if (groups['string'] !== undefined) return { kind: 'string', text: raw.slice(1, -1) }
  if (groups['identifier'] !== undefined) return { kind: 'identifier', text: raw.slice(1, -1) }
  if (groups['date'] !== undefined) return { kind: 'date', text: raw }
  if (groups['number'] !== undefined) return { kind: 'number', text: plainNumber(raw) }
  if (groups['symbol'] !== undefined) return { kind: 'symbol', text: raw === '!=' ? '<>' : raw }
  return { kind: 'word', text: raw.toLowerCase().replace(/['’]s$/u, '') }
}

function plainNumber(raw: string): string {
  const [, digits = '', unit = ''] = /^([-−]?[\d.]+)([a-z]*)$/i.exec(raw.replace(/[,$]/g, '')) ?? []
  const sign = digits.replace('−', '-')
  const zeros = multipliers[unit.toLowerCase()]
  if (zeros === undefined) return sign
  return String(Number(sign) * Number(`1${zeros}`))
}
