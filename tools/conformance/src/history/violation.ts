import { formatOperation } from './operation.ts'
import type { Operation, RecordedHistory } from './operation.ts'

export type Violation = {
  /** Uuid of the table whose history is wrong, where there is one. */
  readonly table: string | undefined
  /** Of the operation that is wrong, where it is one. */
  readonly token: string | undefined
  readonly message: string
}

/** Operations that are shown on either side of the one at fault. */
const neighbours = 3

/** The violation and the part of its table's history that it is about. */
export function explainViolation(
  { table, token, message }: Violation,
  { operations }: RecordedHistory,
): string {
  const ofTable = operations
    .filter(
      (operation) => operation.token === token || (table !== undefined && operation.tables.includes(table)),
    )
    .toSorted((left, right) => left.invokedAt - right.invokedAt)
  const at = ofTable.findIndex((operation) => operation.token === token)
  const shown: readonly Operation[] =
    at < 0 ? ofTable.slice(-2 * neighbours) : ofTable.slice(Math.max(0, at - neighbours), at + neighbours + 1)
  return [message, ...shown.map((operation) => `  ${formatOperation(operation)}`)].join('\n')
}
