import { describe, expect, it } from 'vitest'
import { readModelReply } from './extract-sql.ts'

describe('readModelReply', () => {
  it.each([
    ['bare', 'SELECT 1', 'SELECT 1'],
    ['a fence with a language', 'Sure!\n```sql\nSELECT 1;\n```\nDone.', 'SELECT 1'],
    ['a fence on one line', '```SELECT 1```', 'SELECT 1'],
    ['an unclosed fence', '```sql\nSELECT 1\nFROM t', 'SELECT 1\nFROM t'],
    ['the last of two fences', '```sql\nSELECT 0\n```\nBetter:\n```sql\nSELECT 1\n```', 'SELECT 1'],
    ['JSON', '{"sql": "SELECT 1"}', 'SELECT 1'],
    ['JSON in a fence', '```json\n{"query": "SELECT 1", "why": "x"}\n```', 'SELECT 1'],
    ['prose around it', 'The query is:\nSELECT 1\nFROM t\n\nIt counts.', 'SELECT 1\nFROM t'],
    ['thoughts before it', '<think>SELECT 0 is wrong</think>\nSELECT 1', 'SELECT 1'],
    ['WITH', 'WITH a AS (SELECT 1) SELECT * FROM a', 'WITH a AS (SELECT 1) SELECT * FROM a'],
    ['several semicolons at the end', 'SELECT 1;;\n;', 'SELECT 1'],
  ])('finds SQL in %s', (_, reply, sql) => {
    expect(readModelReply(reply)).toEqual({ kind: 'sql', sql })
  })

  it('leaves a second statement in, so that the check refuses it', () => {
    expect(readModelReply('SELECT 1; DROP TABLE t')).toEqual({ kind: 'sql', sql: 'SELECT 1; DROP TABLE t' })
  })

  it.each(['', 'I do not know.', '```\n```', '<think>SELECT 1', '{"sql": 5}'])(
    'finds nothing in %j',
    (reply) => {
      expect(readModelReply(reply)).toEqual({ kind: 'nothing' })
    },
  )

  it('reads a question back and a refusal', () => {
    expect(readModelReply('CLARIFY: Which? | a | b |')).toEqual({
      kind: 'clarification',
      text: 'Which?',
      choices: ['a', 'b'],
    })
    expect(readModelReply('cannot: no such data')).toEqual({ kind: 'cannot', text: 'no such data' })
  })
})
