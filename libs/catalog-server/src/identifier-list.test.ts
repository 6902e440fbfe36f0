import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { identifierList } from './identifier-list.ts'

it('writes lists as JSON would, whatever is in the names, and from several namespaces', async () => {
  const names = [
    'orders',
    'with "quotes"',
    'back\\slash',
    'Käse',
    '表',
    '😀',
    'line\nbreak',
    '$&',
    '","',
    ',',
    '"',
  ]
  const identifiers = [
    ...names.map((name) => ({ namespace: ['shop', 'a"b'], name })),
    { namespace: ['other'], name: 'orders' },
  ]
  const response = identifierList(identifiers, 'next')
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.json()).toEqual({ identifiers, 'next-page-token': 'next' })
  expect(await identifierList([], null).json()).toEqual({ identifiers: [], 'next-page-token': null })
})

it('keeps names apart that are made of what stands between them', async () => {
  const piece = fc.constantFrom('\n ', '"', ',', '\\', '","', '{', '}', 'a', ':')
  const name = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { maxLength: 8 }),
      fc.array(name, { maxLength: 3 }),
      async (first, second) => {
        const identifiers = [...inNamespace(['shop'], first), ...inNamespace(['","', 'b'], second)]
        expect(await identifierList(identifiers, null).json()).toMatchObject({ identifiers })
      },
    ),
  )
})

function inNamespace(
  namespace: readonly string[],
  names: readonly string[],
): { namespace: readonly string[]; name: string }[] {
  return names.map((name) => ({ namespace, name }))
}
