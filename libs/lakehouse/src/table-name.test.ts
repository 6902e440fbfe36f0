import { describe, expect, it } from 'vitest'
import { parseNamespace, parseTableName } from './table-name.ts'

describe('parseTableName', () => {
  it.each([
    ['shop.orders', ['shop'], 'orders'],
    ['a.b.orders', ['a', 'b'], 'orders'],
    ['"a.b".orders', ['a.b'], 'orders'],
    ['a."b c"."d.e"', ['a', 'b c'], 'd.e'],
    ['"say ""hi"""."x"', ['say "hi"'], 'x'],
    ['größe.🧊', ['größe'], '🧊'],
  ])('reads %s', (text, namespace, name) => {
    expect(parseTableName(text)).toEqual({ namespace, name })
  })

  it.each([
    '',
    'orders',
    '.',
    'shop.',
    '.orders',
    'a..b',
    'a.b.',
    'a.b..c',
    'a.b."c',
    'a.b"c"',
    '"a"b.c',
    '""."x"',
    'a.b.""',
    '"a.b"',
  ])('refuses %j and says how names are written', (text) => {
    expect(() => parseTableName(text)).toThrow(
      expect.objectContaining({ code: 'invalid-input', hint: expect.stringContaining('namespace.table') }),
    )
  })
})

describe('parseNamespace', () => {
  it.each([
    ['shop', ['shop']],
    ['a.b', ['a', 'b']],
    ['"a.b"', ['a.b']],
  ])('reads %s', (text, levels) => {
    expect(parseNamespace(text)).toEqual(levels)
  })

  it.each(['', '.', 'a.', 'a..b', '"a'])('refuses %j', (text) => {
    expect(() => parseNamespace(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })
})
