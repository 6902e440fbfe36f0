import { describe, expect, it } from 'vitest'
import { applyViewUpdates, newViewMetadata } from './apply-view-update.ts'
import { parseJson } from './json.ts'
import type { Schema } from './schema.ts'
import { parseViewMetadata, serializeViewMetadata, viewMetadataToJson } from './view-metadata-json.ts'
import type { ViewMetadata, ViewVersion } from './view-metadata.ts'
import {
  checkViewRequirement,
  parseViewRequirement,
  parseViewUpdate,
  viewRequirementToJson,
  viewUpdateToJson,
} from './view-update.ts'
import type { ViewUpdate } from './view-update.ts'

const uuid = '6f0e2a57-0a5e-4a8e-9d5c-0d8a8f3b6a11'
const nowMs = 5000

function schemaOf(name: string): Schema {
  return { schemaId: 9, fields: [{ id: 1, name, type: { kind: 'long' }, required: false }] }
}

function versionOf(sql: string, dialect = 'duckdb'): ViewVersion {
  return {
    versionId: 1,
    timestampMs: 1000,
    schemaId: -1,
    summary: {},
    representations: [{ type: 'sql', sql, dialect }],
    defaultNamespace: ['shop'],
  }
}

function newView(properties: Readonly<Record<string, string>> = {}): ViewMetadata {
  const view = { schema: schemaOf('id'), version: versionOf('SELECT 1'), location: 's3://lake/v/' }
  return newViewMetadata({ ...view, properties, uuid, nowMs: 1 })
}

function replaceBy(version: ViewVersion, schema: Schema = schemaOf('id')): readonly ViewUpdate[] {
  return [
    { action: 'add-schema', schema },
    { action: 'add-view-version', viewVersion: version },
    { action: 'set-current-view-version', viewVersionId: -1 },
  ]
}

function apply(base: ViewMetadata, updates: readonly ViewUpdate[]): ViewMetadata {
  return applyViewUpdates(base, updates, { nowMs })
}

describe('view metadata', () => {
  it('starts with version 1 of schema 0, whatever ids were asked for', () => {
    expect(newView()).toMatchObject({
      viewUuid: uuid,
      location: 's3://lake/v',
      schemas: [{ schemaId: 0 }],
      currentVersionId: 1,
      versions: [{ versionId: 1, schemaId: 0 }],
      versionLog: [{ timestampMs: 1000, versionId: 1 }],
    })
  })

  it('keeps members and representations that it does not know through a rewrite', () => {
    const json = viewMetadataToJson(newView({ a: '1' }))
    const [version] = json['versions'] as readonly Record<string, never>[]
    const odd = {
      ...json,
      'later-member': 1,
      versions: [{ ...version, hint: 'x', representations: [{ type: 'ir', plan: { a: [1] } }] }],
    }
    const metadata = parseViewMetadata(odd)
    expect(parseJson(serializeViewMetadata(metadata))).toEqual(odd)
  })

  it('is refused when damaged, or of a later version', () => {
    const json = viewMetadataToJson(newView())
    const parse = (change: object): (() => unknown) => {
      return () => parseViewMetadata({ ...json, ...change })
    }
    expect(parse({ 'current-version-id': 7 })).toThrow(/points nowhere/)
    expect(parse({ versions: 'none' })).toThrow(/must be an array/)
    expect(parse({ 'format-version': 2 })).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})

describe('view updates', () => {
  it('read and write every form', () => {
    const updates: readonly ViewUpdate[] = [
      { action: 'assign-uuid', uuid },
      { action: 'upgrade-format-version', formatVersion: 1 },
      { action: 'set-location', location: 's3://lake/w' },
      { action: 'set-properties', updates: { a: '1' } },
      { action: 'remove-properties', removals: ['a'] },
      ...replaceBy(versionOf('SELECT 2')),
    ]
    expect(updates.map((update) => parseViewUpdate(viewUpdateToJson(update)))).toEqual(updates)
    expect(() => parseViewUpdate({ action: 'add-snapshot' })).toThrow(/not known/)
    expect(() => parseViewRequirement({ type: 'assert-create' })).toThrow(/not known/)
    const requirement = { type: 'assert-view-uuid', uuid } as const
    expect(parseViewRequirement(viewRequirementToJson(requirement))).toEqual(requirement)
    checkViewRequirement(newView(), { ...requirement, uuid: uuid.toUpperCase() })
  })

  it('add a version with the next ids, and log when it became current', () => {
    const view = apply(newView(), replaceBy(versionOf('SELECT 2'), schemaOf('other')))
    expect(view.versions.map(({ versionId, schemaId }) => [versionId, schemaId])).toEqual([
      [1, 0],
      [2, 1],
    ])
    expect(view.versionLog.at(-1)).toEqual({ timestampMs: 1000, versionId: 2 })
    const back = apply(view, [{ action: 'set-current-view-version', viewVersionId: 1 }])
    expect(back.versionLog.at(-1)).toEqual({ timestampMs: nowMs, versionId: 1 })
  })

  it('change nothing for an equal version', () => {
    const view = newView()
    expect(apply(view, replaceBy({ ...versionOf('SELECT 1'), timestampMs: 3 }))).toBe(view)
  })

  it('drop the oldest versions beyond what the view keeps, and the log up to them', () => {
    let view = newView({ 'version.history.num-entries': '2' })
    for (const sql of ['SELECT 2', 'SELECT 3', 'SELECT 4']) view = apply(view, replaceBy(versionOf(sql)))
    expect(view.versions.map(({ versionId }) => versionId)).toEqual([3, 4])
    expect(view.versionLog.map(({ versionId }) => versionId)).toEqual([3, 4])
    expect(() =>
      apply(view, [{ action: 'set-properties', updates: { 'version.history.num-entries': '0' } }]),
    ).toThrow(/must be positive/)
  })

  it('never lose a dialect without leave, and never have one twice', () => {
    const spark = replaceBy(versionOf('SELECT 2', 'Spark'))
    expect(() => apply(newView(), spark)).toThrow(/drops the dialects duckdb/)
    expect(apply(newView({ 'replace.drop-dialect.allowed': 'true' }), spark).currentVersionId).toBe(2)
    const { representations } = versionOf('SELECT 1')
    const twice = { ...versionOf('x', 'DuckDB'), representations: [...representations, ...representations] }
    expect(() => apply(newView(), replaceBy(twice))).toThrow(/multiple queries for dialect duckdb/)
  })

  it.each<[string, readonly ViewUpdate[]]>([
    ['another uuid', [{ action: 'assign-uuid', uuid: 'other' }]],
    ['another format version', [{ action: 'upgrade-format-version', formatVersion: 2 }]],
    ['a version of no schema', [{ action: 'add-view-version', viewVersion: versionOf('SELECT 2') }]],
    ['an unknown schema', [{ action: 'add-view-version', viewVersion: { ...versionOf('x'), schemaId: 8 } }]],
    ['an unknown version', [{ action: 'set-current-view-version', viewVersionId: 8 }]],
    ['the last of no versions', [{ action: 'set-current-view-version', viewVersionId: -1 }]],
  ])('are refused for %s', (_, updates) => {
    expect(() => apply(newView(), updates)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })
})
