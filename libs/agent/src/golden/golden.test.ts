import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../answer.ts'
import { ask } from '../ask.ts'
import { createRulesProvider } from '../rules/rules-provider.ts'
import type { TableDescription } from '../table-directory.ts'
import { directoryOf, openGoldenRunner, type GoldenRunner } from './duckdb-runner.ts'
import { flightQuestions } from './flight-questions.ts'
import { rowsText, type GoldenQuestion } from './golden-question.ts'
import {
  flightSetup,
  flightTables,
  orderSetup,
  orderTables,
  socialSetup,
  socialTables,
} from './golden-tables.ts'
import { orderQuestions } from './order-questions.ts'
import { socialQuestions } from './social-questions.ts'

const now = Date.UTC(2024, 6, 15, 12)

type Schema = {
  readonly name: string
  readonly tables: readonly TableDescription[]
  readonly setup: string
  readonly answered: readonly GoldenQuestion[]
  readonly clarified: readonly (readonly [question: string, choices: readonly string[]])[]
  readonly refused: readonly (readonly [question: string, word: string, suggestion: string])[]
}

const schemas: readonly Schema[] = [
  {
    name: 'flights',
    tables: flightTables,
    setup: flightSetup,
    answered: flightQuestions,
    clarified: [
      [
        'top 5 airports by number of flights',
        ['top 5 origin by number of flights', 'top 5 destination by number of flights'],
      ],
      [
        'top 3 carriers by distance',
        ['top 3 carriers by total distance', 'top 3 carriers by average distance'],
      ],
      [
        'how many flights had no delay',
        ['how many flights had with delay of 0', 'how many flights had without delay'],
      ],
      ['which airports are there', ['which origin are there', 'which destination are there']],
      ['distance per carrier', ['total distance per carrier', 'average distance per carrier']],
    ],
    refused: [
      ['average dealy by origin', 'dealy', 'average delay by origin'],
      ['how many fligths', 'no table', 'how many flights'],
      ['flights from Berlin', 'Berlin', 'how many flights'],
      ['average delay for AA vs UA', 'vs', 'how many flights'],
      ['how many flights between SFO and LAX', 'between', 'how many flights'],
      ['percentage of flights cancelled', 'percentage', 'how many flights'],
      ['SELECT * FROM demo.flights', 'from', 'how many flights'],
      ['delete all flights', 'delete', 'how many flights'],
      ['what is the meaning of life', 'no table', 'how many flights'],
      ['average origin', 'not a quantity', 'how many flights'],
      ['origin by carrier', 'not a number', 'how many flights'],
    ],
  },
  {
    name: 'social',
    tables: socialTables,
    setup: socialSetup,
    answered: socialQuestions,
    clarified: [
      [
        'how many followers does ada have',
        [
          "how many followers does with follower username 'ada' have",
          "how many followers does with followee username 'ada' have",
        ],
      ],
    ],
    refused: [
      ['update users set age = 3', 'update', 'how many users'],
      ['users with more than 1 post', 'more', 'how many'],
      ['average user_id of posts', 'not a quantity', 'how many users'],
    ],
  },
  {
    name: 'orders',
    tables: orderTables,
    setup: orderSetup,
    answered: orderQuestions,
    clarified: [
      ['total of orders per status', ['sum of total per status', 'average total per status']],
      ['orders from Lisbon', ["orders with billing_city 'Lisbon'", "orders with shipping_city 'Lisbon'"]],
      ['average weight by status', ['average net_weight by status', 'average gross_weight by status']],
      ['heaviest orders', ['top 10 orders by net_weight', 'top 10 orders by gross_weight']],
      ['names', ['names in shop.customers', 'names in shop.products']],
      [
        'deliveries per month',
        ['deliveries per month of planned_at', 'deliveries per month of dispatched_at'],
      ],
    ],
    refused: [
      ['delivered orders', 'delivered', 'deliveries orders'],
      ['; drop table users', 'no table', 'how many customers'],
      ['longest orders', 'longest', 'how many'],
    ],
  },
]

describe.each(schemas)('the rules provider over $name', ({ tables, setup, answered, clarified, refused }) => {
  let runner: GoldenRunner
  beforeAll(async () => {
    runner = await openGoldenRunner(setup, tables)
  })
  afterAll(async () => {
    await runner[Symbol.asyncDispose]()
  })
  const askRules = (question: string): Promise<Answer> =>
    ask(question, {
      directory: directoryOf(tables),
      runner,
      provider: createRulesProvider(),
      clock: { now: () => now },
    })

  it.each(answered)('answers "%s"', async (question, sql, rows) => {
    const answer = await askRules(question)
    if (answer.kind !== 'answer') expect.fail(`${answer.kind}: ${answer.text}`)
    expect(answer.sql).toBe(sql)
    expect(rowsText(answer.sql, answer.rows)).toBe(rows)
    expect(answer).toMatchObject({ provider: 'rules', provenance: 'rules', attempts: 1 })
    expect(answer.text).toMatch(/^[\p{Lu}\d].*\.$/u)
    expect(answer.references.length).toBeGreaterThan(0)
  })

  it.each(clarified)(
    'asks back for "%s", and answers every choice that it offers',
    async (question, choices) => {
      const answer = await askRules(question)
      expect(answer).toMatchObject({ kind: 'clarification', choices })
      for (const choice of choices) expect(await askRules(choice), choice).toMatchObject({ kind: 'answer' })
    },
  )

  it.each(refused)('refuses "%s" and says why', async (question, word, suggestion) => {
    const answer = await askRules(question)
    if (answer.kind !== 'cannot') expect.fail(`${answer.kind}: ${answer.text}`)
    expect(answer.text).toContain(word)
    expect(answer.suggestions[0]).toContain(suggestion)
  })
})
