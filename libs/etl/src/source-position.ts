import { FloeError, parseJson, stringifyJson } from '@floe/iceberg'
import type { JsonObject, JsonValue, TableMetadata } from '@floe/iceberg'
import { commitTokenProperty } from '@floe/writer'

/**
 * Up to where a table holds the rows of its source. Kept in the table property `floe.source.position`, written by the
 * commit that brought the rows, as JSON.
 */
export type SourcePosition = ColumnPosition | XminPosition

export type ColumnPosition = {
  readonly kind: 'column'
  readonly attnum: number
  /** The column's name when it was written: `attnum` is what counts. */
  readonly column: string
  /** The server's text of the value; absent while the source had no rows. */
  readonly value?: string
}

export type XminPosition = {
  readonly kind: 'xmin'
  /** Transactions below this had ended. */
  readonly xid: bigint
  readonly tableOid: number
  /** The partitions that were read: one that came later is read whole. */
  readonly leafOids: readonly number[]
  readonly system?: string
}

export const positionProperty = 'floe.source.position'

/** The property of the commit that is marked with `token`. */
export function positionProperties(position: SourcePosition, token: string): Record<string, string> {
  const { kind } = position
  const state: JsonObject =
    kind === 'column'
      ? {
          cursor: kind,
          attnum: position.attnum,
          column: position.column,
          ...(position.value === undefined ? {} : { value: position.value }),
        }
      : {
          cursor: kind,
          xid: position.xid.toString(),
          table: position.tableOid,
          leaves: position.leafOids,
          ...(position.system === undefined ? {} : { system: position.system }),
        }
  return { [positionProperty]: stringifyJson({ ...state, token }) }
}

/**
 * The position that the current snapshot of a table stands at.
 * @throws invalid-input when no load has left one, or the table was rolled back behind the commit that wrote it
 */
export function currentPosition(table: string, metadata: TableMetadata): SourcePosition {
  const text = metadata.properties[positionProperty]
  if (text === undefined) {
    throw new FloeError('invalid-input', `${table} does not say up to where it holds its source`, {
      hint: 'load it once with --mode replace and the same --cursor; later loads are incremental',
    })
  }
  const { position, token } = parsePosition(text)
  if (isBehind(metadata, token)) {
    throw new FloeError('invalid-input', `${table} was rolled back behind its last incremental load`, {
      hint: 'the rows since are not in it any more: load it once with --mode replace and the same --cursor',
    })
  }
  return position
}

function parsePosition(text: string): { readonly position: SourcePosition; readonly token: string } {
  const state = parseJson(text)
  if (!isJsonObject(state) || typeof state['token'] !== 'string') throw malformed()
  const { token, cursor } = state
  if (cursor === 'column') return { position: parseColumn(state), token }
  if (cursor === 'xmin') return { position: parseXmin(state), token }
  throw malformed()
}

function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseColumn({ attnum, column, value }: JsonObject): ColumnPosition {
  if (typeof attnum !== 'number' || typeof column !== 'string') throw malformed()
  if (value !== undefined && typeof value !== 'string') throw malformed()
  return { kind: 'column', attnum, column, ...(value === undefined ? {} : { value }) }
}

function parseXmin({ xid, table, leaves, system }: JsonObject): XminPosition {
  if (typeof xid !== 'string' || !/^\d+$/.test(xid) || typeof table !== 'number') throw malformed()
  if (!Array.isArray(leaves) || !leaves.every((leaf) => typeof leaf === 'number')) throw malformed()
  if (system !== undefined && typeof system !== 'string') throw malformed()
  const position = { kind: 'xmin', xid: BigInt(xid), tableOid: table, leafOids: leaves } as const
  return system === undefined ? position : { ...position, system }
}

function malformed(): FloeError {
  return new FloeError('corrupt-data', `table property ${positionProperty} is not a position`, {
    hint: 'load the table once with --mode replace and a --cursor, which writes it anew',
  })
}

/** The marked snapshot is there and no ancestor of the current one. One that has expired tells nothing. */
function isBehind({ snapshots, currentSnapshotId }: TableMetadata, token: string): boolean {
  const marked = snapshots.find(({ summary }) => summary?.[commitTokenProperty] === token)
  if (marked === undefined) return false
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
  const seen = new Set<bigint>()
  for (let id = currentSnapshotId; id !== undefined && !seen.has(id); id = byId.get(id)?.parentSnapshotId) {
    if (id === marked.snapshotId) return false
    seen.add(id)
  }
  return true
}
