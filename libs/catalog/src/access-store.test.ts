import { describe, expect, it } from 'vitest'
import { hasPrivilege, isVisible, privilegeOn, privileges } from './access-store.ts'
import type { Grant, Privilege, Securable } from './access-store.ts'

const server: Securable = { kind: 'server' }
const warehouse: Securable = { kind: 'warehouse' }
const a: Securable = { kind: 'namespace', namespace: ['a'] }
const ab: Securable = { kind: 'namespace', namespace: ['a', 'b'] }
const abc: Securable = { kind: 'namespace', namespace: ['a', 'bc'] }
const table: Securable = { kind: 'table', identifier: { namespace: ['a', 'b'], name: 't' } }
const sibling: Securable = { kind: 'table', identifier: { namespace: ['a', 'b'], name: 'u' } }
const everything = { server, warehouse, a, ab, abc, table, sibling }

function granted(on: Securable, privilege: Privilege = 'write'): readonly Grant[] {
  return [{ to: { kind: 'role', name: 'r' }, privilege, on }]
}

describe('a grant', () => {
  it.each<[string, Securable, readonly string[]]>([
    ['the server', server, ['server', 'warehouse', 'a', 'ab', 'abc', 'table', 'sibling']],
    ['the warehouse', warehouse, ['warehouse', 'a', 'ab', 'abc', 'table', 'sibling']],
    ['a namespace', a, ['a', 'ab', 'abc', 'table', 'sibling']],
    ['a nested namespace', ab, ['ab', 'table', 'sibling']],
    ['a table', table, ['table']],
  ])('on %s holds for what is below, and for nothing else', (_title, on, held) => {
    const found = Object.entries(everything).filter(
      ([, other]) => privilegeOn(granted(on), other) === 'write',
    )
    expect(found.map(([name]) => name)).toEqual(held)
  })

  it('includes the lower privileges', () => {
    for (const [at, held] of privileges.entries())
      for (const [rank, asked] of privileges.entries())
        expect(hasPrivilege(granted(a, held), asked, table)).toBe(rank <= at)
  })

  it('adds to others', () => {
    expect(privilegeOn([...granted(a, 'manage'), ...granted(table, 'read')], table)).toBe('manage')
    expect(privilegeOn([], table)).toBeUndefined()
  })

  it('shows the way to what it is on, and nothing beside it', () => {
    const shown = Object.entries(everything).filter(([, on]) => isVisible(granted(table, 'read'), on))
    expect(shown.map(([name]) => name)).toEqual(['server', 'warehouse', 'a', 'ab', 'table'])
  })
})
