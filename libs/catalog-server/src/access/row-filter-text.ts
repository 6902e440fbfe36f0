import {
  and,
  compare,
  FloeError,
  isIn,
  isNull,
  notIn,
  notNull,
  or,
  parseExpression,
  parseJson,
} from '@floe/iceberg'
import type { Expression, LiteralOperator, PrimitiveValue } from '@floe/iceberg'

/**
 * A row filter as people write it: a condition of SQL, or an Iceberg expression as JSON. The condition compares columns
 * with constants (`=`, `<>`, `<`, `<=`, `>`, `>=`, IN, BETWEEN, LIKE 'prefix%', IS NULL) and joins them with AND, OR,
 * NOT and parentheses. As in SQL a comparison with null lets no row through, negated or not.
 * @throws FloeError invalid-input for what is neither
 */
export function parseRowFilter(text: string): Expression {
  if (text.trimStart().startsWith('{')) return parseExpression(parseJson(text))
  return new ConditionParser(text).parse()
}

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'name' | 'text' | 'number' | 'sign'; readonly text: string }

const tokenForm =
  /\s*(?:(?<text>'(?:[^']|'')*')|"(?<name>(?:[^"]|"")+)"|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_]\w*)|(?<sign><>|!=|<=|>=|[=<>(),]))/y

/** Conditions inside of each other. */
const depthMax = 100

const operators: Readonly<Record<string, LiteralOperator>> = {
  '=': 'eq',
  '<>': 'not-eq',
  '!=': 'not-eq',
  '<': 'lt',
  '<=': 'lt-eq',
  '>': 'gt',
  '>=': 'gt-eq',
}
const opposites: Readonly<Record<LiteralOperator, LiteralOperator>> = {
  eq: 'not-eq',
  'not-eq': 'eq',
  lt: 'gt-eq',
  'lt-eq': 'gt',
  gt: 'lt-eq',
  'gt-eq': 'lt',
  'starts-with': 'not-starts-with',
  'not-starts-with': 'starts-with',
}

class ConditionParser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = tokensOf(text)
  }

  parse(): Expression {
    const condition = this.#disjunction(false)
    if (this.#at < this.#tokens.length) throw this.#unexpected('the end')
    return condition
  }

  /** `negated`: NOT stands before it; three-valued logic is kept by moving it down to the comparisons. */
  #disjunction(negated: boolean): Expression {
    if (this.#depth++ > depthMax) throw malformed(`more than ${depthMax} conditions are inside of each other`)
    const parts = [this.#conjunction(negated)]
    while (this.#takesWord('OR')) parts.push(this.#conjunction(negated))
    this.#depth--
    return negated ? and(...parts) : or(...parts)
  }

  #conjunction(negated: boolean): Expression {
    const parts = [this.#term(negated)]
    while (this.#takesWord('AND')) parts.push(this.#term(negated))
    return negated ? or(...parts) : and(...parts)
  }

  #term(negated: boolean): Expression {
    let isNegated = negated
    while (this.#takesWord('NOT')) isNegated = !isNegated
    if (!this.#takes('sign', '(')) return this.#comparison(isNegated)
    const inner = this.#disjunction(isNegated)
    this.#expect('sign', ')')
    return inner
  }

  #comparison(negated: boolean): Expression {
    const column = this.#column()
    if (this.#takesWord('IS')) {
      const isNot = this.#takesWord('NOT')
      this.#expect('word', 'NULL')
      return isNot === negated ? isNull(column) : notNull(column)
    }
    const isNegated = this.#takesWord('NOT') ? !negated : negated
    if (this.#takesWord('IN')) return known(column, (isNegated ? notIn : isIn)(column, this.#list()))
    if (this.#takesWord('BETWEEN')) return this.#between(column, isNegated)
    if (this.#takesWord('LIKE')) return this.#like(column, isNegated)
    const operator = operators[this.#peek('sign') ?? '']
    if (operator === undefined) throw this.#unexpected('a comparison')
    this.#at++
    return known(column, compare(column, isNegated ? opposites[operator] : operator, this.#constant()))
  }

  #between(column: string, negated: boolean): Expression {
    const lower = this.#constant()
    this.#expect('word', 'AND')
    const upper = this.#constant()
    const inside = and(compare(column, 'gt-eq', lower), compare(column, 'lt-eq', upper))
    const outside = or(compare(column, 'lt', lower), compare(column, 'gt', upper))
    return known(column, negated ? outside : inside)
  }

  #like(column: string, negated: boolean): Expression {
    const pattern = this.#constant()
    const prefix = typeof pattern === 'string' ? /^([^%_\\]*)%$/.exec(pattern)?.[1] : undefined
    if (prefix === undefined) throw malformed("LIKE takes a prefix and a percent sign, such as 'EU-%'")
    return known(column, compare(column, negated ? 'not-starts-with' : 'starts-with', prefix))
  }

  #list(): readonly PrimitiveValue[] {
    this.#expect('sign', '(')
    const values = [this.#constant()]
    while (this.#takes('sign', ',')) values.push(this.#constant())
    this.#expect('sign', ')')
    return values
  }

  #column(): string {
    const name = this.#peek('name') ?? this.#peek('word')
    if (name === undefined || this.#isKeyword()) throw this.#unexpected('a column')
    this.#at++
    return name
  }

  #constant(): PrimitiveValue {
    const token = this.#tokens[this.#at]
    // DATE '2026-01-01' says no more than the text: the column's type decides.
    if (token?.kind === 'word' && /^(?:date|time|timestamp|timestamptz|uuid)$/i.test(token.text)) {
      this.#at++
      return this.#constant()
    }
    this.#at++
    if (token?.kind === 'text') return token.text
    if (token?.kind === 'number') return numberOf(token.text)
    if (token?.kind === 'word' && /^(?:true|false)$/i.test(token.text)) return /^true$/i.test(token.text)
    this.#at--
    throw this.#unexpected('a constant')
  }

  #isKeyword(): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' && /^(?:and|or|not|in|is|like|between|null)$/i.test(token.text)
  }

  #peek(kind: Token['kind']): string | undefined {
    const token = this.#tokens[this.#at]
    return token?.kind === kind ? token.text : undefined
  }

  #takes(kind: Token['kind'], text: string): boolean {
    if (this.#peek(kind) !== text) return false
    this.#at++
    return true
  }

  #takesWord(word: string): boolean {
    if (this.#peek('word')?.toUpperCase() !== word) return false
    this.#at++
    return true
  }

  #expect(kind: 'sign' | 'word', text: string): void {
    const taken = kind === 'word' ? this.#takesWord(text) : this.#takes(kind, text)
    if (!taken) throw this.#unexpected(text)
  }

  #unexpected(wanted: string): FloeError {
    const found = this.#tokens[this.#at]
    return malformed(`${wanted} is expected ${found === undefined ? 'at its end' : `at "${found.text}"`}`)
  }
}

/** SQL's unknown, which Iceberg's logic lacks: a null is kept out where a comparison would let it pass. */
function known(column: string, comparison: Expression): Expression {
  return and(notNull(column), comparison)
}

/** Digits that a number cannot hold stay text: the column's type reads them. */
function numberOf(text: string): PrimitiveValue {
  const number = Number(text)
  const isExact = /^-?\d+$/.test(text) ? Number.isSafeInteger(number) : true
  return isExact && !text.includes('.') ? number : text.includes('e') || text.includes('E') ? number : text
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  for (tokenForm.lastIndex = 0; tokenForm.lastIndex < end;) {
    const at = tokenForm.lastIndex
    const groups = tokenForm.exec(text)?.groups
    const found = Object.entries(groups ?? {}).find(([, value]) => value !== undefined)
    if (found === undefined) throw malformed(`character ${at + 1} starts nothing that is known`)
    const [kind, shown] = found as [Token['kind'], string]
    tokens.push({ kind, text: unquoted(kind, shown) })
  }
  if (tokens.length === 0) throw malformed('it is empty')
  return tokens
}

function unquoted(kind: Token['kind'], shown: string): string {
  if (kind === 'text') return shown.slice(1, -1).replaceAll("''", "'")
  return kind === 'name' ? shown.replaceAll('""', '"') : shown
}

function malformed(fault: string): FloeError {
  return new FloeError('invalid-input', `the row filter does not parse: ${fault}`, {
    hint: `write columns compared with constants, such as country = 'DE' AND level < 5`,
  })
}
