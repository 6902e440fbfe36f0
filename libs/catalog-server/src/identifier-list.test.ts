import { expect, it } from 'vitest'
import { identifierList } from './identifier-list.ts'

it('writes lists as JSON would, whatever is in the names, and from several namespaces', async () => {
  const names = ['orders', 'with "quotes"', 'back\\slash', 'Käse', '表', '😀', 'line\nbreak']
  const identifiers = [
    ...names.map((name) => ({ namespace: ['shop', 'a"b'], name })),
    { namespace: ['other'], name: 'orders' },
  ]
  const response = identifierList(identifiers, 'next')
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.json()).toEqual({ identifiers, 'next-page-token': 'next' })
  expect(await identifierList([], null).json()).toEqual({ identifiers: [], 'next-page-token': null })
})
