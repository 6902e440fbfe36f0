import { expect, it } from 'vitest'
import type { TableUpdate } from '@floe/iceberg'
import { filesOf, orders, schema } from './contract-subject.ts'
import type { CatalogTraits, Subject } from './contract-subject.ts'

export function tablesAreMade(subject: Subject, traits: CatalogTraits): void {
  const { uniqueFolders, namespaceLocations, countsFromZero, nested } = traits
  it('creates with fresh ids, below the warehouse, and loads the same again', async () => {
    const { catalog, base } = await subject()
    const created = await catalog.createTable(orders, {
      schema,
      partitionSpec: {
        specId: 5,
        fields: [{ sourceIds: [20], fieldId: 7, name: 'day_month', transform: { kind: 'month' } }],
      },
      properties: { 'write.format.default': 'parquet', 'format-version': '2' },
    })
    const { metadata, metadataLocation } = created
    expect(metadata.schemas[0]?.fields.map(({ id }) => id)).toEqual([1, 2])
    expect(metadata.partitionSpecs[0]).toMatchObject({
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000 }],
    })
    expect(metadata.properties).toMatchObject({ 'write.format.default': 'parquet' })
    expect(metadata.properties['format-version']).toBeUndefined()
    expect(metadata.location.startsWith(`${base}/`)).toBe(true)
    if (uniqueFolders) expect(metadata.location).toMatch(/\/shop\/orders-[0-9a-f]{8}$/)
    expect(metadataLocation).toMatch(/\/metadata\/\d{5}-[0-9a-f-]{36}\.metadata\.json$/)
    if (countsFromZero) expect(metadataLocation).toContain('/metadata/00000-')
    expect((await catalog.loadTable(orders)).metadata).toEqual(metadata)
  })

  if (uniqueFolders)
    it('gives a table that is made again another folder', async () => {
      const { catalog } = await subject()
      const first = await catalog.createTable(orders, { schema })
      await catalog.dropTable(orders)
      const second = await catalog.createTable(orders, { schema })
      expect(second.metadata.location).not.toBe(first.metadata.location)
      expect(second.metadata.tableUuid).not.toBe(first.metadata.tableUuid)
    })

  if (namespaceLocations)
    it('honours the locations of namespace and table', async () => {
      const { catalog, base } = await subject()
      await catalog.createNamespace(['eu'], { location: `${base}/europe/` })
      if (nested) await catalog.createNamespace(['eu', 'north'])
      const namespace = nested ? ['eu', 'north'] : ['eu']
      const near = await catalog.createTable({ namespace, name: 't' }, { schema })
      const folder = [base, 'europe', ...namespace.slice(1), 't-'].join('/')
      expect(near.metadata.location.startsWith(folder)).toBe(true)
      const own = await catalog.createTable(orders, { schema, location: `${base}/own/place/` })
      expect(own.metadata.location).toBe(`${base}/own/place`)
    })

  it('tells a missing table, a missing namespace and a taken name apart', async () => {
    const { catalog } = await subject()
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.listTables(['nope'])).rejects.toMatchObject({ code: 'not-found' })
    const elsewhere = catalog.createTable({ namespace: ['nope'], name: 't' }, { schema })
    await expect(elsewhere).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.createTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    await expect(catalog.stageTable(orders, { schema })).rejects.toMatchObject({ code: 'already-exists' })
    expect(await catalog.listTables(['shop'])).toEqual([orders])
  })
}

export function tablesAreRenamed(subject: Subject): void {
  it('renames across namespaces, and never onto another table', async () => {
    const { catalog } = await subject()
    await catalog.createNamespace(['archive'])
    const { metadata } = await catalog.createTable(orders, { schema })
    const target = { namespace: ['archive'], name: 'orders_2023' }
    await catalog.renameTable(orders, target)
    expect((await catalog.loadTable(target)).metadata.tableUuid).toBe(metadata.tableUuid)
    await expect(catalog.loadTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'not-found' })
    await catalog.createTable(orders, { schema })
    await expect(catalog.renameTable(orders, target)).rejects.toMatchObject({ code: 'already-exists' })
    expect((await catalog.loadTable(target)).metadata.tableUuid).toBe(metadata.tableUuid)
    const nowhere = catalog.renameTable(orders, { namespace: ['nope'], name: 'x' })
    await expect(nowhere).rejects.toMatchObject({ code: 'not-found' })
    expect(await catalog.listTables(['shop'])).toEqual([orders])
  })
}

export function tablesAreRegistered(
  subject: Subject,
  { uniqueUuids, checksRegistered }: CatalogTraits,
): void {
  it('registers a metadata file, once', async () => {
    const { catalog, base } = await subject()
    const { metadataLocation, metadata } = await catalog.createTable(orders, { schema })
    const location = String(metadataLocation)
    const copy = { namespace: ['shop'], name: 'copy' }
    const early = catalog.registerTable(uniqueUuids ? copy : orders, location)
    await expect(early).rejects.toMatchObject({ code: 'already-exists' })
    await catalog.dropTable(orders)
    const registered = await catalog.registerTable(copy, location)
    expect(registered).toMatchObject({
      metadataLocation: location,
      metadata: { tableUuid: metadata.tableUuid },
    })
    const absent = catalog.registerTable(orders, `${base}/none.metadata.json`)
    await expect(absent).rejects.toMatchObject(checksRegistered ? { code: 'invalid-input' } : {})
  })
}

export function tablesAreDropped(subject: Subject): void {
  it('keeps the files of a dropped table unless it is purged', async () => {
    const at = await subject()
    const { catalog } = at
    await catalog.createTable(orders, { schema })
    await catalog.dropTable(orders)
    const kept = await filesOf(at)
    expect(kept).toHaveLength(1)
    await expect(catalog.dropTable(orders)).rejects.toMatchObject({ code: 'not-found' })
    const other = { namespace: ['shop'], name: 'other' }
    await catalog.createTable(other, { schema })
    const updates: TableUpdate[] = [{ action: 'set-properties', updates: { a: '1' } }]
    await catalog.commitTable(other, { requirements: [], updates })
    await catalog.dropTable(other, { purge: true })
    expect(await filesOf(at)).toEqual(kept)
  })
}
