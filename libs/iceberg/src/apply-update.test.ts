import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyTableUpdates,
  checkRequirement,
  currentSchema,
  findRef,
  FloeError,
  newTableMetadata,
  parseTableMetadata,
  parseTableRequirement,
  parseTableUpdate,
  serializeTableMetadata,
  tableRequirementToJson,
  tableUpdateToJson,
  unassignedPartitionFieldId,
  type JsonObject,
  type Schema,
  type Snapshot,
  type TableMetadata,
  type TableRequirement,
  type TableUpdate,
} from './index.ts'

const uuid = '9c12d441-03fe-4693-9a96-a0705ddf69c1'
const nowMs = 1_700_000_000_000

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: { kind: 'long' }, required: true },
    { id: 2, name: 'at', type: { kind: 'timestamptz' }, required: false },
  ],
}
const wider: Schema = {
  schemaId: 0,
  fields: [
    ...schema.fields,
    {
      id: 3,
      name: 'point',
      type: { kind: 'struct', fields: [{ id: 9, name: 'x', type: { kind: 'double' }, required: true }] },
      required: false,
    },
  ],
}

const newTable = (formatVersion: 1 | 2 | 3 = 2): TableMetadata =>
  newTableMetadata({ schema, location: 's3://b/t', uuid, nowMs, formatVersion })

const snapshot = (id: bigint, sequenceNumber: bigint, change: Partial<Snapshot> = {}): Snapshot => ({
  snapshotId: id,
  sequenceNumber,
  timestampMs: nowMs + Number(sequenceNumber),
  manifestList: `s3://b/${id}.avro`,
  summary: { operation: 'append' },
  ...change,
})
const add = (added: Snapshot): TableUpdate => ({ action: 'add-snapshot', snapshot: added })
const moveMain = (snapshotId: bigint): TableUpdate => ({
  action: 'set-snapshot-ref',
  refName: 'main',
  ref: { snapshotId, type: 'branch' },
})
const apply = (base: TableMetadata | undefined, ...updates: TableUpdate[]): TableMetadata =>
  applyTableUpdates(base, updates, { nowMs: nowMs + 100 })

/** Three snapshots on main, one commit each. */
const withHistory = (): TableMetadata =>
  [1n, 2n, 3n].reduce((table, id) => apply(table, add(snapshot(id, id)), moveMain(id)), newTable())

function errorOf(run: () => unknown): FloeError {
  try {
    run()
  } catch (error) {
    if (error instanceof FloeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('schemas, specs and orders', () => {
  it('adds a schema, makes it current by -1, and counts nested ids', () => {
    const table = apply(
      newTable(),
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', schemaId: -1 },
    )
    expect(table).toMatchObject({ currentSchemaId: 1, lastColumnId: 9 })
    expect(currentSchema(table).schemaId).toBe(1)
  })

  it('gives an equal schema its old id, also behind -1', () => {
    const two = apply(
      newTable(),
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', schemaId: -1 },
    )
    const back = apply(
      two,
      { action: 'add-schema', schema: { ...schema, schemaId: 7 } },
      { action: 'set-current-schema', schemaId: -1 },
    )
    expect(back.currentSchemaId).toBe(0)
    expect(back.schemas).toHaveLength(2)
  })

  it('refuses -1 when nothing was added, and ids that are not there', () => {
    for (const schemaId of [-1, 5]) {
      expect(errorOf(() => apply(newTable(), { action: 'set-current-schema', schemaId })).code).toBe(
        'invalid-input',
      )
    }
    expect(errorOf(() => apply(newTable(), { action: 'set-default-spec', specId: 3 })).code).toBe(
      'invalid-input',
    )
    expect(errorOf(() => apply(newTable(), { action: 'set-default-sort-order', sortOrderId: 3 })).code).toBe(
      'invalid-input',
    )
  })

  it('numbers partition fields that the client did not, and reuses the id of a field that comes back', () => {
    const field = (sourceId: number, name: string, kind: 'day' | 'identity') =>
      ({ sourceIds: [sourceId], fieldId: unassignedPartitionFieldId, name, transform: { kind } }) as const
    const setSpec = (table: TableMetadata, ...fields: ReturnType<typeof field>[]): TableMetadata =>
      apply(
        table,
        { action: 'add-spec', spec: { specId: 0, fields } },
        { action: 'set-default-spec', specId: -1 },
      )
    const first = setSpec(newTable(), field(2, 'at_day', 'day'))
    const second = setSpec(first, field(1, 'id', 'identity'))
    const third = setSpec(second, field(1, 'id', 'identity'), field(2, 'day_again', 'day'))
    expect(third.partitionSpecs.map((spec) => spec.fields.map((item) => item.fieldId))).toEqual([
      [],
      [1000],
      [1001],
      [1001, 1000],
    ])
    expect(third).toMatchObject({ defaultSpecId: 3, lastPartitionId: 1001 })
    expect(setSpec(third, field(2, 'at_day', 'day')).defaultSpecId).toBe(1)
  })

  it('keeps v1 field ids in sequence', () => {
    const spec = {
      specId: 0,
      fields: [{ sourceIds: [1], fieldId: 1003, name: 'id', transform: { kind: 'identity' } }],
    } as const
    expect(errorOf(() => apply(newTable(1), { action: 'add-spec', spec })).message).toMatch(/1000, 1001/)
  })

  it('starts sort orders at 1 and knows an order again', () => {
    const sortOrder = {
      orderId: 0,
      fields: [
        { sourceIds: [1], transform: { kind: 'identity' }, direction: 'asc', nullOrder: 'nulls-first' },
      ],
    } as const
    const updates: TableUpdate[] = [
      { action: 'add-sort-order', sortOrder },
      { action: 'set-default-sort-order', sortOrderId: -1 },
    ]
    const table = apply(newTable(), ...updates)
    expect(table.defaultSortOrderId).toBe(1)
    expect(apply(table, ...updates)).toBe(table)
  })

  it('refuses a current schema without the column of the default spec', () => {
    const spec = {
      specId: 0,
      fields: [{ sourceIds: [2], fieldId: 1000, name: 'd', transform: { kind: 'day' } }],
    } as const
    const table = apply(newTable(), { action: 'add-spec', spec }, { action: 'set-default-spec', specId: -1 })
    const narrow: Schema = { schemaId: 0, fields: schema.fields.slice(0, 1) }
    const drop = (): unknown =>
      apply(table, { action: 'add-schema', schema: narrow }, { action: 'set-current-schema', schemaId: -1 })
    expect(errorOf(drop).message).toMatch(/no column with id 2/)
  })

  it('removes old schemas and specs, never those in use', () => {
    const table = apply(
      newTable(),
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', schemaId: -1 },
    )
    expect(
      apply(table, { action: 'remove-schemas', schemaIds: [0] }).schemas.map((item) => item.schemaId),
    ).toEqual([1])
    expect(errorOf(() => apply(table, { action: 'remove-schemas', schemaIds: [1] })).code).toBe(
      'invalid-input',
    )
    expect(errorOf(() => apply(table, { action: 'remove-partition-specs', specIds: [0] })).code).toBe(
      'invalid-input',
    )
  })
})

describe('snapshots', () => {
  it('moves main, the current snapshot, the log and the last sequence number', () => {
    expect(withHistory()).toMatchObject({
      currentSnapshotId: 3n,
      lastSequenceNumber: 3n,
      refs: { main: { snapshotId: 3n } },
      snapshotLog: [{ snapshotId: 1n }, { snapshotId: 2n }, { snapshotId: 3n, timestampMs: nowMs + 3 }],
    })
  })

  it('says a stale sequence number is a conflict that may be tried again', () => {
    const stale = add(snapshot(9n, 3n, { parentSnapshotId: 2n }))
    expect(errorOf(() => apply(withHistory(), stale))).toMatchObject({
      code: 'commit-conflict',
      retryable: true,
    })
  })

  it('refuses a snapshot id that is taken', () => {
    expect(errorOf(() => apply(withHistory(), add(snapshot(2n, 9n)))).code).toBe('invalid-input')
  })

  it('logs a rollback at the time of the change', () => {
    const log = apply(withHistory(), moveMain(1n)).snapshotLog
    expect(log.at(-1)).toEqual({ snapshotId: 1n, timestampMs: nowMs + 100 })
  })

  it('leaves snapshots that one commit passes over out of the log', () => {
    const table = apply(newTable(), add(snapshot(1n, 1n)), moveMain(1n), add(snapshot(2n, 2n)), moveMain(2n))
    expect(table.snapshotLog.map((entry) => entry.snapshotId)).toEqual([2n])
    expect(table.snapshots).toHaveLength(2)
  })

  it('takes as many snapshots in one commit as a history has, and leaves the table before alone', () => {
    const before = withHistory()
    const ids = Array.from({ length: 40_000 }, (_, at) => BigInt(at + 4))
    const commit = ids.flatMap((id) => [add(snapshot(id, id, { timestampMs: nowMs + 50 })), moveMain(id)])
    const after = apply(before, ...commit)
    expect(before.snapshots).toHaveLength(3)
    expect(before.snapshotLog).toHaveLength(3)
    expect(after.snapshots.map((item) => item.snapshotId)).toEqual([1n, 2n, 3n, ...ids])
    expect(after.snapshotLog.map((item) => item.snapshotId)).toEqual([1n, 2n, 3n, ids.at(-1)])
  })

  it('knows the snapshots that one commit adds, removes and adds again', () => {
    const removed: TableUpdate = { action: 'remove-snapshots', snapshotIds: [4n] }
    const [first, again] = [add(snapshot(4n, 4n)), add(snapshot(4n, 5n))]
    expect(errorOf(() => apply(withHistory(), first, again)).message).toMatch(/already exists/)
    expect(errorOf(() => apply(withHistory(), first, removed, moveMain(4n))).message).toMatch(
      /unknown snapshot/,
    )
    const table = apply(withHistory(), first, removed, again, moveMain(4n))
    expect(table.snapshots.map((item) => item.sequenceNumber)).toEqual([1n, 2n, 3n, 5n])
    expect(table.currentSnapshotId).toBe(4n)
  })

  it('removes refs, statistics and broken history with a snapshot', () => {
    const table = apply(
      withHistory(),
      { action: 'set-snapshot-ref', refName: 'old', ref: { snapshotId: 2n, type: 'tag' } },
      { action: 'set-statistics', statistics: { 'snapshot-id': 2, 'statistics-path': 'a' } },
      {
        action: 'set-partition-statistics',
        partitionStatistics: { 'snapshot-id': 3, 'statistics-path': 'b' },
      },
    )
    const pruned = apply(table, { action: 'remove-snapshots', snapshotIds: [2n] })
    expect(Object.keys(pruned.refs)).toEqual(['main'])
    expect(pruned.statistics).toEqual([])
    expect(pruned.partitionStatistics).toHaveLength(1)
    expect(pruned.snapshotLog.map((entry) => entry.snapshotId)).toEqual([3n])
  })

  it('removes snapshots one by one as it removes them at once', () => {
    const base = apply(withHistory(), {
      action: 'set-snapshot-ref',
      refName: 'old',
      ref: { snapshotId: 1n, type: 'tag' },
    })
    const remove = (...snapshotIds: bigint[]): TableUpdate => ({ action: 'remove-snapshots', snapshotIds })
    const atOnce = apply(base, remove(1n, 2n, 9n))
    expect(apply(base, remove(1n), remove(9n), remove(2n))).toEqual(atOnce)
    expect(atOnce.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([3n])
    expect(Object.keys(atOnce.refs)).toEqual(['main'])
    // What comes between two removals finds the first one done.
    expect(() => apply(base, remove(2n), moveMain(2n), remove(1n))).toThrow(/unknown snapshot 2/)
  })

  it('changes as many refs in one commit as a table has, and leaves the table before alone', () => {
    const base = withHistory()
    const names = ['__proto__', 'constructor', ...Array.from({ length: 2000 }, (_, at) => `tag-${at}`)]
    const tagged = apply(
      base,
      ...names.map((refName): TableUpdate => ({
        action: 'set-snapshot-ref',
        refName,
        ref: { snapshotId: 1n, type: 'tag' },
      })),
      { action: 'remove-snapshot-ref', refName: 'tag-7' },
    )
    expect(Object.keys(base.refs)).toEqual(['main'])
    expect(Object.keys(tagged.refs)).toEqual(['main', ...names.filter((name) => name !== 'tag-7')])
    expect(findRef(tagged, '__proto__')).toEqual({ snapshotId: 1n, type: 'tag' })
    expect(parseTableMetadata(serializeTableMetadata(tagged))).toEqual(tagged)
  })

  it('leaves no current snapshot when main is removed', () => {
    const table = apply(withHistory(), { action: 'remove-snapshot-ref', refName: 'main' })
    expect(table).not.toHaveProperty('currentSnapshotId')
    expect(
      apply(withHistory(), { action: 'remove-snapshots', snapshotIds: [1n, 2n, 3n] }).snapshotLog,
    ).toEqual([])
  })

  it('refuses main as a tag and refs to nothing', () => {
    const main: TableUpdate = {
      action: 'set-snapshot-ref',
      refName: 'main',
      ref: { snapshotId: 1n, type: 'tag' },
    }
    expect(errorOf(() => apply(withHistory(), main)).message).toMatch(/must be a branch/)
    expect(errorOf(() => apply(withHistory(), moveMain(77n))).message).toMatch(/unknown snapshot/)
  })

  it('advances row ids in v3, and calls stale ones a conflict', () => {
    const rows = (firstRowId: bigint): Partial<Snapshot> => ({ firstRowId, addedRows: 10n })
    const table = apply(newTable(3), add(snapshot(1n, 1n, rows(0n))))
    expect(table.nextRowId).toBe(10n)
    expect(errorOf(() => apply(table, add(snapshot(2n, 2n, rows(9n)))))).toMatchObject({
      code: 'commit-conflict',
      retryable: true,
    })
    expect(errorOf(() => apply(table, add(snapshot(2n, 2n)))).code).toBe('invalid-input')
    expect(apply(withHistory(), { action: 'upgrade-format-version', formatVersion: 3 }).nextRowId).toBe(0n)
  })

  it('takes a minute of clock skew and no more', () => {
    const late = (ms: number): unknown =>
      apply(newTable(), add(snapshot(1n, 1n, { timestampMs: nowMs + 100 + ms })), moveMain(1n))
    expect(late(60_000)).toBeDefined()
    expect(errorOf(() => late(60_001)).code).toBe('invalid-input')
  })
})

describe('applyTableUpdates', () => {
  it('gives back the same metadata when nothing changes', () => {
    const table = withHistory()
    const noChange: TableUpdate[] = [
      { action: 'assign-uuid', uuid: uuid.toUpperCase() },
      { action: 'upgrade-format-version', formatVersion: 2 },
      { action: 'add-schema', schema },
      moveMain(3n),
      { action: 'remove-snapshots', snapshotIds: [99n] },
      { action: 'remove-properties', removals: ['no'] },
      { action: 'set-location', location: 's3://b/t/' },
      { action: 'remove-statistics', snapshotId: 1n },
      { action: 'remove-encryption-key', keyId: 'k' },
    ]
    expect(applyTableUpdates(table, noChange, { nowMs: 1, previousMetadataLocation: 'x' })).toBe(table)
  })

  it('creates a table from its updates alone, with initial ids', () => {
    const created = apply(
      undefined,
      { action: 'assign-uuid', uuid },
      { action: 'upgrade-format-version', formatVersion: 3 },
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec: { specId: 0, fields: [] } },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder: { orderId: 0, fields: [] } },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: 's3://b/t' },
      { action: 'set-properties', updates: { owner: 'me' } },
      add(snapshot(1n, 1n, { firstRowId: 0n, addedRows: 4n })),
      moveMain(1n),
    )
    expect(created).toMatchObject({
      formatVersion: 3,
      currentSchemaId: 0,
      defaultSpecId: 0,
      defaultSortOrderId: 0,
      nextRowId: 4n,
    })
    expect(parseTableMetadata(serializeTableMetadata(created))).toEqual(created)
    expect(errorOf(() => apply(undefined, { action: 'assign-uuid', uuid })).message).toMatch(
      /without a schema/,
    )
  })

  it('keeps as many previous metadata files as the property says', () => {
    const options = (at: number) => ({ nowMs: nowMs + at, previousMetadataLocation: `s3://b/${at}.json` })
    let table = apply(newTable(), {
      action: 'set-properties',
      updates: { 'write.metadata.previous-versions-max': '2' },
    })
    for (const at of [1, 2, 3]) {
      table = applyTableUpdates(
        table,
        [{ action: 'set-properties', updates: { at: String(at) } }],
        options(at),
      )
    }
    expect(table.metadataLog.map((entry) => entry.metadataFile)).toEqual(['s3://b/2.json', 's3://b/3.json'])
    expect(table.metadataLog[1]?.timestampMs).toBe(nowMs + 100)
  })

  it('never moves last-updated-ms back', () => {
    const table = applyTableUpdates(newTable(), [{ action: 'set-properties', updates: { a: 'b' } }], {
      nowMs: 5,
    })
    expect(table.lastUpdatedMs).toBe(nowMs)
  })

  it.each<[string, TableUpdate]>([
    ['another uuid', { action: 'assign-uuid', uuid: '00000000-0000-0000-0000-000000000000' }],
    ['a downgrade', { action: 'upgrade-format-version', formatVersion: 1 }],
    ['a reserved property', { action: 'set-properties', updates: { 'format-version': '3' } }],
    ['row lineage below v3', { action: 'enable-row-lineage' }],
    [
      'a v3 type in a v2 table',
      {
        action: 'add-schema',
        schema: { schemaId: 0, fields: [{ id: 1, name: 'v', type: { kind: 'variant' }, required: false }] },
      },
    ],
  ])('refuses %s', (_, update) => {
    expect(errorOf(() => apply(newTable(), update)).code).toBe('invalid-input')
  })

  it('keeps what is valid valid: every applied update survives a write and a read', () => {
    const id = fc.bigInt({ min: 1n, max: 6n })
    const update = fc.oneof(
      id.map((value) => add(snapshot(value, value))),
      id.map(moveMain),
      id.map((value): TableUpdate => ({ action: 'remove-snapshots', snapshotIds: [value] })),
      fc
        .constantFrom('main', 'b')
        .map((refName): TableUpdate => ({ action: 'remove-snapshot-ref', refName })),
      id.map((snapshotId): TableUpdate => ({
        action: 'set-snapshot-ref',
        refName: 'b',
        ref: { snapshotId, type: 'branch' },
      })),
      fc.constantFrom(schema, wider).map((added): TableUpdate => ({ action: 'add-schema', schema: added })),
      fc.constantFrom(0, 1, -1).map((schemaId): TableUpdate => ({ action: 'set-current-schema', schemaId })),
    )
    fc.assert(
      fc.property(fc.array(update, { maxLength: 20 }), (updates) => {
        let table = newTable()
        for (const next of updates) {
          try {
            table = apply(table, next)
          } catch (error) {
            if (!(error instanceof FloeError)) throw error
          }
        }
        expect(parseTableMetadata(serializeTableMetadata(table))).toEqual(table)
      }),
    )
  })
})

const wireUpdates: readonly JsonObject[] = [
  { action: 'assign-uuid', uuid },
  { action: 'upgrade-format-version', 'format-version': 2 },
  { action: 'add-schema', schema: { type: 'struct', 'schema-id': 1, fields: [] }, 'last-column-id': 3 },
  { action: 'set-current-schema', 'schema-id': -1 },
  {
    action: 'add-spec',
    spec: { 'spec-id': 1, fields: [{ 'source-id': 1, name: 'b', transform: 'bucket[4]' }] },
  },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: [] } },
  { action: 'set-default-sort-order', 'sort-order-id': -1 },
  {
    action: 'add-snapshot',
    snapshot: {
      'sequence-number': 1,
      'snapshot-id': 2n ** 60n + 1n,
      'timestamp-ms': 1,
      'manifest-list': 'a',
      summary: { operation: 'append' },
    },
  },
  { action: 'set-snapshot-ref', 'ref-name': 'main', 'snapshot-id': 1, type: 'branch', 'max-ref-age-ms': 5 },
  { action: 'remove-snapshots', 'snapshot-ids': [1, 2n ** 60n + 1n] },
  { action: 'remove-snapshot-ref', 'ref-name': 'b' },
  { action: 'set-location', location: 's3://x' },
  { action: 'set-properties', updates: { a: 'b' } },
  { action: 'remove-properties', removals: ['a'] },
  { action: 'set-statistics', 'snapshot-id': 1, statistics: { 'snapshot-id': 1, 'statistics-path': 's' } },
  { action: 'remove-statistics', 'snapshot-id': 1 },
  {
    action: 'set-partition-statistics',
    'partition-statistics': { 'snapshot-id': 1, 'statistics-path': 's' },
  },
  { action: 'remove-partition-statistics', 'snapshot-id': 1 },
  { action: 'remove-partition-specs', 'spec-ids': [1] },
  { action: 'remove-schemas', 'schema-ids': [1] },
  { action: 'add-encryption-key', 'encryption-key': { 'key-id': 'k', 'encrypted-key-metadata': 'AA==' } },
  { action: 'remove-encryption-key', 'key-id': 'k' },
  { action: 'enable-row-lineage' },
]

const wireRequirements: readonly JsonObject[] = [
  { type: 'assert-create' },
  { type: 'assert-table-uuid', uuid },
  { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 2n ** 60n + 1n },
  { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
  { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
  { type: 'assert-current-schema-id', 'current-schema-id': 0 },
  { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
  { type: 'assert-default-spec-id', 'default-spec-id': 0 },
  { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
]

describe('REST forms', () => {
  it.each(wireUpdates)('reads and writes the update $action', (json) => {
    expect(tableUpdateToJson(parseTableUpdate(json))).toEqual(json)
  })

  it.each(wireRequirements)('reads and writes the requirement $type', (json) => {
    expect(tableRequirementToJson(parseTableRequirement(json))).toEqual(json)
  })

  it('takes the member names of old clients', () => {
    expect(parseTableUpdate({ action: 'set-properties', updated: { a: 'b' } })).toMatchObject({
      updates: { a: 'b' },
    })
    expect(parseTableUpdate({ action: 'remove-properties', removed: ['a'] })).toMatchObject({
      removals: ['a'],
    })
  })

  it('refuses actions and types that it does not know', () => {
    for (const name of ['add-column', 'constructor']) {
      expect(errorOf(() => parseTableUpdate({ action: name })).code).toBe('invalid-input')
      expect(errorOf(() => parseTableRequirement({ type: name })).code).toBe('invalid-input')
    }
  })
})

describe('checkRequirement', () => {
  const table = withHistory()

  it.each<TableRequirement>([
    { type: 'assert-table-uuid', uuid: uuid.toUpperCase() },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 3n },
    { type: 'assert-ref-snapshot-id', ref: 'constructor', snapshotId: undefined },
    { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 2 },
    { type: 'assert-current-schema-id', currentSchemaId: 0 },
    { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 999 },
    { type: 'assert-default-spec-id', defaultSpecId: 0 },
    { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
  ])('passes $type when it holds', (requirement) => {
    expect(() => checkRequirement(table, requirement)).not.toThrow()
  })

  it.each<[TableRequirement, RegExp]>([
    [{ type: 'assert-create' }, /table already exists/],
    [{ type: 'assert-table-uuid', uuid: 'x' }, /UUID does not match/],
    [
      { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined },
      /branch main was created concurrently/,
    ],
    [
      { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 2n },
      /branch main has changed: expected id 2 != 3/,
    ],
    [{ type: 'assert-ref-snapshot-id', ref: 'b', snapshotId: 2n }, /branch or tag b is missing, expected 2/],
    [{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: 1 }, /last assigned field id changed/],
    [{ type: 'assert-current-schema-id', currentSchemaId: 1 }, /current schema changed/],
    [
      { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1 },
      /last assigned partition id changed/,
    ],
    [{ type: 'assert-default-spec-id', defaultSpecId: 1 }, /default partition spec changed/],
    [{ type: 'assert-default-sort-order-id', defaultSortOrderId: 1 }, /default sort order changed/],
  ])('fails %s as a conflict that is not retried as it stands', (requirement, message) => {
    const error = errorOf(() => checkRequirement(table, requirement))
    expect(error).toMatchObject({ code: 'commit-conflict', retryable: false })
    expect(error.message).toMatch(message)
  })

  it('passes assert-create, and fails the others, when there is no table', () => {
    expect(() => checkRequirement(undefined, { type: 'assert-create' })).not.toThrow()
    expect(
      errorOf(() => checkRequirement(undefined, { type: 'assert-default-spec-id', defaultSpecId: 0 })).code,
    ).toBe('commit-conflict')
  })
})
