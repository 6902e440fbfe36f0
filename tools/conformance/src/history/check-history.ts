import { checkReads, checkTable } from './check-table.ts'
import type { ObservedTable } from './observed-table.ts'
import type { Operation, Outcome, RecordedHistory } from './operation.ts'
import type { Violation } from './violation.ts'

/**
 * Holds what clients were told against what is there: acknowledged changes are there once, refused ones are not,
 * unknown ones at most once; transactions are whole; tables are lines and loadable; a repeated key has lost nothing.
 */
export function checkHistory(
  history: RecordedHistory,
  observed: readonly ObservedTable[],
): readonly Violation[] {
  const { operations, reads } = history
  const tables = new Map(observed.map((table) => [table.uuid, table]))
  const commits = operations.filter(({ kind }) => kind === 'append' || kind === 'transaction')
  return [
    ...operations.flatMap((operation) => checkOperation(operation, tables, observed)),
    ...checkTokens(operations, observed),
    ...observed.flatMap((table) => checkTable(table)),
    ...observed.flatMap((table) => {
      const ofTable = commits.filter((operation) => operation.tables.includes(table.uuid))
      return [
        ...checkOrder(table, ofTable),
        ...checkReads(
          table,
          reads.filter((read) => read.table === table.uuid),
          ofTable.filter(({ outcome }) => outcome === 'acknowledged'),
        ),
      ]
    }),
    ...checkNames(history, observed),
    ...operations.flatMap(checkReplay),
  ]
}

function checkOperation(
  operation: Operation,
  tables: ReadonlyMap<string, ObservedTable>,
  observed: readonly ObservedTable[],
): readonly Violation[] {
  const { kind, token, outcome } = operation
  switch (kind) {
    case 'append':
    case 'transaction':
      return checkSnapshotTokens(operation, tables)
    case 'properties':
      return operation.tables.flatMap((uuid) => {
        const found = tables.get(uuid)?.propertyTokens.filter((other) => other === token).length
        return found === undefined ? [] : countViolation(operation, uuid, outcome, found)
      })
    // That a table is there, once, under a name that it can have, is checked with its names.
    case 'create': {
      const found = observed.filter(({ createToken }) => createToken === token).length
      return outcome === 'acknowledged' ? [] : countViolation(operation, undefined, outcome, found)
    }
    case 'rename':
    case 'drop':
      return []
  }
}

function checkSnapshotTokens(
  operation: Operation,
  tables: ReadonlyMap<string, ObservedTable>,
): readonly Violation[] {
  const present = operation.tables.filter((uuid) => tables.has(uuid))
  const counts = present.map(
    (uuid) => tables.get(uuid)?.snapshots.filter(({ token }) => token === operation.token).length ?? 0,
  )
  const single = present.flatMap((uuid, at) =>
    countViolation(operation, uuid, operation.outcome, counts[at] ?? 0),
  )
  if (new Set(counts).size <= 1) return single
  const parts = present.map((uuid, at) => `${tables.get(uuid)?.name}: ${counts[at]}`).join(', ')
  return [
    ...single,
    {
      table: present[0],
      token: operation.token,
      message: `transaction ${operation.token} is half there: ${parts}`,
    },
  ]
}

function countViolation(
  { kind, token }: Operation,
  table: string | undefined,
  outcome: Outcome,
  found: number,
): readonly Violation[] {
  const isRight = { acknowledged: found === 1, refused: found === 0, unknown: found <= 1 }[outcome]
  if (isRight) return []
  const where = table === undefined ? '' : ` in table ${table}`
  return [{ table, token, message: `${kind} ${token} was ${outcome} and is there ${found} times${where}` }]
}

/** Nothing is in a table that nobody asked for there. */
function checkTokens(
  operations: readonly Operation[],
  observed: readonly ObservedTable[],
): readonly Violation[] {
  const targets = new Map(operations.map(({ token, tables }) => [token, new Set(tables)]))
  return observed.flatMap(({ uuid, name, snapshots, propertyTokens, createToken }) => {
    const tokens = [...snapshots.map(({ token }) => token), ...propertyTokens]
    const strange = tokens.filter((token) => token === undefined || targets.get(token)?.has(uuid) !== true)
    if (createToken === undefined || !targets.has(createToken)) strange.push(createToken)
    return strange.map((token) => ({
      table: uuid,
      token,
      message: `${name}: nobody wrote ${token} into this table`,
    }))
  })
}

/** A change that was acknowledged before another one was asked for comes before it. */
function checkOrder(table: ObservedTable, commits: readonly Operation[]): readonly Violation[] {
  const byToken = new Map(commits.map((operation) => [operation.token, operation]))
  const violations: Violation[] = []
  let latest: Operation | undefined
  for (const { token } of table.snapshots) {
    const operation = token === undefined ? undefined : byToken.get(token)
    if (operation === undefined) continue
    if (
      latest !== undefined &&
      operation.outcome === 'acknowledged' &&
      operation.completedAt < latest.invokedAt
    ) {
      violations.push({
        table: table.uuid,
        token: operation.token,
        message: `${table.name}: ${operation.token} was acknowledged before ${latest.token} was asked for, and comes after it`,
      })
    }
    if (latest === undefined || operation.invokedAt > latest.invokedAt) latest = operation
  }
  return violations
}

/** Names are given by a table's owner alone, one after the other: what may be follows from the answers. */
function checkNames(
  { operations, reads }: RecordedHistory,
  observed: readonly ObservedTable[],
): readonly Violation[] {
  const byToken = new Map(
    observed.flatMap((table) => (table.createToken === undefined ? [] : [[table.createToken, table]])),
  )
  return operations.flatMap((create) => {
    if (create.kind !== 'create') return []
    const table = byToken.get(create.token)
    const uuid = table?.uuid ?? create.tables[0]
    // A table that a refused or unknown create may have made is nobody's: it has kept its name or is not there.
    const possible = possibleNames(create, uuid, operations, reads)
    if (possible.has(table?.name)) return []
    const names = [...possible].map((name) => name ?? 'nothing').join(' or ')
    const found = table === undefined ? 'is not there' : `is ${table.name}`
    const message = `the table of ${create.token} ${found}, and should be ${names}`
    return [{ table: uuid, token: create.token, message }]
  })
}

function possibleNames(
  create: Operation,
  uuid: string | undefined,
  operations: readonly Operation[],
  reads: readonly Read[],
): ReadonlySet<string | undefined> {
  let names = new Set<string | undefined>()
  if (create.outcome !== 'refused') names.add(create.name)
  if (create.outcome !== 'acknowledged') names.add(undefined)
  const later = [
    ...operations.filter((operation) => uuid !== undefined && operation.tables[0] === uuid),
    // The owner looks where a table is after an unclear rename.
    ...reads.filter((read) => read.table === uuid && read.client === create.client),
  ].toSorted((left, right) => left.invokedAt - right.invokedAt)
  for (const event of later) {
    if (!('kind' in event)) {
      if (names.has(event.name)) names = new Set([event.name])
      continue
    }
    if ((event.kind !== 'rename' && event.kind !== 'drop') || event.outcome === 'refused') continue
    const name = event.kind === 'rename' ? event.name : undefined
    names = event.outcome === 'acknowledged' ? new Set([name]) : new Set([...names, name])
  }
  return names
}

type Read = RecordedHistory['reads'][number]

function checkReplay(operation: Operation): readonly Violation[] {
  const { kind, token, outcome, replayed, tables } = operation
  if (replayed === undefined || outcome === 'unknown' || replayed === outcome) return []
  const message = `${kind} ${token} was ${outcome}, and ${replayed} when its key came again`
  return [{ table: tables[0], token, message }]
}
