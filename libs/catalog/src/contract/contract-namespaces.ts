import { expect, it } from 'vitest'
import { orders, schema } from './contract-subject.ts'
import type { CatalogTraits, Subject } from './contract-subject.ts'

export function namespacesKeepProperties(subject: Subject): void {
  it('keeps properties through sets and removals', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['a'], { owner: 'ann', colour: 'blue' })
    const change = { updates: { owner: 'bob', size: 'xl' }, removals: ['colour', 'absent'] }
    const { updated, removed, missing } = await catalog.updateNamespace(['a'], change)
    expect([updated.toSorted(), removed, missing]).toEqual([['owner', 'size'], ['colour'], ['absent']])
    const properties = await catalog.loadNamespace(['a'])
    expect(properties).toMatchObject({ owner: 'bob', size: 'xl' })
    expect(properties['colour']).toBeUndefined()
    const nowhere = catalog.updateNamespace(['nope'], { updates: { a: '1' }, removals: [] })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
  })

  it('refuses a second namespace of a name', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['a'])
    await expect(catalog.createNamespace(['a'])).rejects.toMatchObject({ code: 'already-exists' })
    expect(await catalog.listNamespaces()).toEqual([['a']])
  })

  it('drops only what is empty', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['shop'])
    await catalog.createTable(orders, { schema })
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'invalid-input' })
    await catalog.dropTable(orders)
    await catalog.dropNamespace(['shop'])
    await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listNamespaces()).toEqual([])
  })
}

export function namespacesHaveLevels(subject: Subject, { nested, checksParents }: CatalogTraits): void {
  if (nested)
    it('lists one level at a time', async () => {
      const { catalog } = await subject()
      for (const namespace of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['z']])
        await catalog.createNamespace(namespace)
      expect(await catalog.listNamespaces()).toEqual([['a'], ['z']])
      expect(await catalog.listNamespaces(['a'])).toEqual([['a', 'b']])
      expect(await catalog.listNamespaces(['z'])).toEqual([])
      await expect(catalog.listNamespaces(['nope'])).rejects.toMatchObject({ code: 'not-found' })
    })

  if (nested && checksParents)
    it('wants the parent of a namespace to be there, and empty to go', async () => {
      const { catalog } = await subject()
      await expect(catalog.createNamespace(['x', 'y'])).rejects.toMatchObject({ code: 'not-found' })
      await catalog.createNamespace(['x'])
      await catalog.createNamespace(['x', 'y'])
      await expect(catalog.dropNamespace(['x'])).rejects.toMatchObject({ code: 'invalid-input' })
    })

  if (!nested)
    it('says that it has no nested namespaces', async () => {
      const { catalog } = await subject()
      await catalog.createNamespace(['a'])
      await expect(catalog.createNamespace(['a', 'b'])).rejects.toMatchObject({ code: 'unsupported' })
      expect(await catalog.listNamespaces(['a'])).toEqual([])
      await expect(catalog.loadNamespace(['a', 'b'])).rejects.toMatchObject({ code: 'not-found' })
      const below = { namespace: ['a', 'b'], name: 't' }
      await expect(catalog.loadTable(below)).rejects.toMatchObject({ code: 'not-found' })
    })
}

export function namesAreTaken(subject: Subject, { names, refusedNames }: CatalogTraits): void {
  for (const name of names) {
    it(`takes ${JSON.stringify(name)} as a name of a namespace and of a table`, async () => {
      const { catalog } = await subject()
      await catalog.createNamespace([name])
      await catalog.createNamespace([name, name], { it: name })
      const identifier = { namespace: [name, name], name }
      await catalog.createTable(identifier, { schema })
      expect(await catalog.listNamespaces([name])).toEqual([[name, name]])
      expect(await catalog.loadNamespace([name, name])).toMatchObject({ it: name })
      expect(await catalog.listTables([name, name])).toEqual([identifier])
      expect((await catalog.loadTable(identifier)).identifier).toEqual(identifier)
    })
  }

  for (const name of refusedNames) {
    it(`refuses ${JSON.stringify(name)} as a new name`, async () => {
      const { catalog } = await subject()
      await catalog.createNamespace(['shop'])
      await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid-input' })
      const table = catalog.createTable({ namespace: ['shop'], name }, { schema })
      await expect(table).rejects.toMatchObject({ code: 'invalid-input' })
    })
  }

  it.each(['', 'nul\0', 'unit\u001Fseparator', '.', '..', 'lone \uD800'])(
    'refuses %j as a name',
    async (name) => {
      const { catalog } = await subject()
      await catalog.createNamespace(['shop'])
      await expect(catalog.createNamespace([name])).rejects.toMatchObject({ code: 'invalid-input' })
      const table = catalog.createTable({ namespace: ['shop'], name }, { schema })
      await expect(table).rejects.toMatchObject({ code: 'invalid-input' })
    },
  )
}
