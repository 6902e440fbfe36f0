import { describe, expect, it } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { ObservedSnapshot, ObservedTable } from './observed-table.ts'
import type { Operation, Read, RecordedHistory } from './operation.ts'
import { explainViolation } from './violation.ts'

/** Two tables, three commits of which one is a transaction, a rename, and a read after each: all as it should be. */
const operations: readonly Operation[] = [
  operation({ kind: 'create', token: 'make-a', tables: ['a'], name: 'orders', invokedAt: 1 }),
  operation({ kind: 'create', token: 'make-b', tables: ['b'], name: 'items', invokedAt: 3 }),
  operation({
    kind: 'append',
    token: 'one',
    tables: ['a'],
    key: 'key-one',
    replayed: 'acknowledged',
    invokedAt: 5,
  }),
  operation({ kind: 'transaction', token: 'both', tables: ['a', 'b'], invokedAt: 10 }),
  operation({
    kind: 'append',
    token: 'lost',
    tables: ['a'],
    outcome: 'unknown',
    answers: ['lost'],
    invokedAt: 15,
  }),
  operation({
    kind: 'append',
    token: 'late',
    tables: ['b'],
    outcome: 'refused',
    answers: ['409'],
    invokedAt: 20,
  }),
  operation({ kind: 'properties', token: 'set', tables: ['b'], invokedAt: 25 }),
  operation({ kind: 'rename', token: 'move', tables: ['b'], name: 'parts', invokedAt: 30 }),
]
const reads: readonly Read[] = [
  read('a', 'orders', 1n, 8),
  read('a', 'orders', 3n, 20),
  read('b', 'items', 2n, 13),
]
const orders = table('a', 'orders', 'make-a', [
  snapshot(1n, 'one'),
  snapshot(2n, 'both'),
  snapshot(3n, 'lost'),
])
const items = { ...table('b', 'parts', 'make-b', [snapshot(2n, 'both')]), propertyTokens: ['set'] }

function operation(
  given: Partial<Operation> & Pick<Operation, 'kind' | 'token' | 'tables' | 'invokedAt'>,
): Operation {
  return { client: 0, outcome: 'acknowledged', answers: ['200'], completedAt: given.invokedAt + 1, ...given }
}

function read(table: string, name: string, snapshotId: bigint, invokedAt: number): Read {
  return { client: 1, table, name, snapshotId, invokedAt, completedAt: invokedAt + 1 }
}

function snapshot(id: bigint, token: string): ObservedSnapshot {
  return { id, parentId: id - 1n, sequenceNumber: id, token }
}

function table(
  uuid: string,
  name: string,
  createToken: string,
  line: readonly ObservedSnapshot[],
): ObservedTable {
  const snapshots = line.map((entry, at) => ({ ...entry, parentId: line[at - 1]?.id }))
  const files = ['0', ...line.map(({ id }) => String(id))].map(
    (version) => `file:///${uuid}/${version}.metadata.json`,
  )
  const newest = line.at(-1)
  return {
    uuid,
    name,
    createToken,
    propertyTokens: [],
    snapshots,
    currentSnapshotId: newest?.id,
    mainSnapshotId: newest?.id,
    lastSequenceNumber: newest?.sequenceNumber ?? 0n,
    snapshotLog: line.map(({ id }) => id),
    metadataFiles: files.map((location, at) => ({
      location,
      timestampMs: 1_000 * at,
      log: files.slice(0, at),
      table: uuid,
    })),
    missingFiles: [],
  }
}

function messages(
  changed: { readonly operations?: readonly Operation[]; readonly reads?: readonly Read[] },
  tables: readonly ObservedTable[] = [orders, items],
): readonly string[] {
  return checkHistory({ operations, reads, ...changed }, tables).map(({ message }) => message)
}

function withOperation(
  token: string,
  change: Partial<Operation>,
): { readonly operations: readonly Operation[] } {
  return { operations: operations.map((entry) => (entry.token === token ? { ...entry, ...change } : entry)) }
}

describe('the history checker', () => {
  it('finds nothing wrong with a history that is right, whichever way the unknown change went', () => {
    expect(messages({})).toEqual([])
    const without = table('a', 'orders', 'make-a', [snapshot(1n, 'one'), snapshot(2n, 'both')])
    expect(messages({ reads: [] }, [without, items])).toEqual([])
  })

  it('finds an acknowledged commit that is lost', () => {
    const without = table('a', 'orders', 'make-a', [snapshot(2n, 'both'), snapshot(3n, 'lost')])
    expect(messages({ reads: [] }, [without, items])).toEqual([
      'append one was acknowledged and is there 0 times in table a',
    ])
  })

  it('finds a commit that is there twice, acknowledged or unknown', () => {
    for (const token of ['one', 'lost']) {
      const twice = [snapshot(1n, 'one'), snapshot(2n, 'both'), snapshot(3n, 'lost'), snapshot(4n, token)]
      expect(messages({ reads: [] }, [table('a', 'orders', 'make-a', twice), items])).toContainEqual(
        expect.stringMatching(new RegExp(`append ${token} was \\w+ and is there 2 times in table a`)),
      )
    }
  })

  it('finds a refused commit that is there all the same', () => {
    const resurrected = table('b', 'parts', 'make-b', [snapshot(2n, 'both'), snapshot(3n, 'late')])
    expect(messages({}, [orders, { ...resurrected, propertyTokens: ['set'] }])).toEqual([
      'append late was refused and is there 1 times in table b',
    ])
  })

  it('finds a transaction of which one half is there, even when its answer was lost', () => {
    const half = table('b', 'parts', 'make-b', [])
    const unknown = withOperation('both', { outcome: 'unknown', answers: ['lost'] })
    expect(messages({ ...unknown, reads: [] }, [orders, { ...half, propertyTokens: ['set'] }])).toEqual([
      'transaction both is half there: orders: 1, parts: 0',
    ])
  })

  it('finds a fork, a sequence number that stands still, and a branch that is not at the newest snapshot', () => {
    const [one, both, lost] = orders.snapshots
    if (one === undefined || both === undefined || lost === undefined)
      throw new Error('the table has three snapshots')
    const forked = { ...orders, snapshots: [one, both, { ...lost, parentId: 1n }] }
    expect(messages({}, [forked, items])).toEqual([expect.stringContaining('snapshot 3 forks')])
    const still = {
      ...orders,
      lastSequenceNumber: 2n,
      snapshots: [one, both, { ...lost, sequenceNumber: 2n }],
    }
    expect(messages({}, [still, items])).toEqual([expect.stringContaining('has sequence number 2 after 2')])
    expect(messages({}, [{ ...orders, mainSnapshotId: 2n }, items])).toEqual([
      expect.stringContaining('the current snapshot is 3, main is at 2'),
    ])
  })

  it('finds a metadata file that is gone, one that was left out of the line, and one of another table', () => {
    const [first, second, ...rest] = orders.metadataFiles
    if (first === undefined || second === undefined) throw new Error('the table has four metadata files')
    const gone = { ...orders, metadataFiles: [first, { ...second, log: undefined }, ...rest] }
    expect(messages({}, [gone, items])).toEqual([expect.stringContaining('is gone or cannot be read')])
    const skipped = { ...orders, metadataFiles: [first, ...rest] }
    expect(messages({}, [skipped, items])).toContainEqual(
      expect.stringContaining('names 2 files before it, there are 1'),
    )
    const foreign = { ...orders, metadataFiles: [first, { ...second, table: 'b' }, ...rest] }
    expect(messages({}, [foreign, items])).toEqual([expect.stringContaining('is of table b')])
  })

  it('finds a file that a snapshot names and that is not there', () => {
    const missing = { ...orders, missingFiles: ['file:///a/snap-1.avro'] }
    expect(messages({}, [missing, items])).toEqual([
      expect.stringContaining('file:///a/snap-1.avro is named by'),
    ])
  })

  it('finds a stale read, and a read of what is no longer in the history', () => {
    expect(messages({ reads: [...reads, read('a', 'orders', 1n, 12)] })).toEqual([
      expect.stringContaining('client 1 read snapshot 1 in [12, 13] after both was acknowledged at 11'),
    ])
    expect(messages({ reads: [...reads, read('a', 'orders', 9n, 12)] })).toEqual([
      expect.stringContaining('read snapshot 9 in [12, 13], which is not in the history'),
    ])
  })

  it('finds commits in another order than they were acknowledged in', () => {
    const swapped = [snapshot(1n, 'both'), snapshot(2n, 'one'), snapshot(3n, 'lost')]
    expect(messages({ reads: [] }, [table('a', 'orders', 'make-a', swapped), items])).toEqual([
      'orders: one was acknowledged before both was asked for, and comes after it',
    ])
  })

  it('finds a key that is answered otherwise when it comes again', () => {
    expect(messages(withOperation('one', { replayed: 'refused' }))).toEqual([
      'append one was acknowledged, and refused when its key came again',
    ])
  })

  it('finds a table that is lost, that has a name it cannot have, and that came from nowhere', () => {
    expect(messages({}, [orders])).toEqual(['the table of make-b is not there, and should be parts'])
    expect(messages({}, [orders, { ...items, name: 'items' }])).toEqual([
      'the table of make-b is items, and should be parts',
    ])
    const unknown = withOperation('move', { outcome: 'unknown', answers: ['lost'] })
    for (const name of ['items', 'parts']) expect(messages(unknown, [orders, { ...items, name }])).toEqual([])
    expect(messages({}, [orders, items, table('c', 'ghost', 'nobody', [])])).toEqual([
      'ghost: nobody wrote nobody into this table',
    ])
  })

  it('finds a table that was dropped and is there', () => {
    const dropped = [
      ...operations,
      operation({ kind: 'drop', token: 'drop-b', tables: ['b'], invokedAt: 40 }),
    ]
    expect(messages({ operations: dropped })).toEqual(['the table of make-b is parts, and should be nothing'])
    expect(messages({ operations: dropped }, [orders])).toEqual([])
  })

  it('shows the operation at fault between its neighbours, and nothing of other tables', () => {
    const history: RecordedHistory = { operations, reads: [] }
    const without = table('a', 'orders', 'make-a', [snapshot(2n, 'both'), snapshot(3n, 'lost')])
    const [violation] = checkHistory(history, [without, items])
    if (violation === undefined) throw new Error('one is expected')
    const text = explainViolation(violation, history)
    expect(text).toContain('[5, 6] client 0: append one on a with key key-one -> acknowledged (200)')
    expect(text).toContain('transaction both on a, b')
    expect(text).not.toContain('late')
  })
})
