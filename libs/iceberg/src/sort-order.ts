import { FloeError } from './error.ts'
import { extraMembers, readArray, readInteger, readObject, readString } from './json-member.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { parseSourceIds, sourceIdsToJson, sourceMembers } from './source-ids.ts'
import { parseTransform, transformToString, type Transform } from './transform.ts'

export type SortField = {
  readonly sourceIds: readonly number[]
  readonly transform: Transform
  readonly direction: 'asc' | 'desc'
  readonly nullOrder: 'nulls-first' | 'nulls-last'
  /** JSON members this version does not know, kept so that they survive a rewrite. */
  readonly extra?: JsonObject
}
export type SortOrder = {
  readonly orderId: number
  readonly fields: readonly SortField[]
  readonly extra?: JsonObject
}

/** Order 0 has no fields (spec "Sorting"). */
export const unsortedOrder: SortOrder = { orderId: 0, fields: [] }

const orderMembers: ReadonlySet<string> = new Set(['order-id', 'fields'])
const fieldMembers: ReadonlySet<string> = new Set([...sourceMembers, 'transform', 'direction', 'null-order'])

/** Sort order from its JSON form. Throws `invalid-input`. */
export function parseSortOrder(json: JsonValue): SortOrder {
  const object = readObject(json, 'sort order')
  return {
    orderId: readInteger(object, 'order-id', 'sort order'),
    fields: readArray(object['fields'], 'sort order fields').map(parseSortField),
    ...extraMembers(object, orderMembers),
  }
}

function parseSortField(json: JsonValue): SortField {
  const object = readObject(json, 'sort field')
  const direction = readString(object, 'direction', 'sort field').toLowerCase()
  const nullOrder = readString(object, 'null-order', 'sort field').toLowerCase()
  if (direction !== 'asc' && direction !== 'desc') {
    throw new FloeError('invalid-input', `sort direction "${direction}" must be asc or desc`)
  }
  if (nullOrder !== 'nulls-first' && nullOrder !== 'nulls-last') {
    throw new FloeError('invalid-input', `null order "${nullOrder}" must be nulls-first or nulls-last`)
  }
  return {
    sourceIds: parseSourceIds(object, 'sort field'),
    transform: parseTransform(readString(object, 'transform', 'sort field')),
    direction,
    nullOrder,
    ...extraMembers(object, fieldMembers),
  }
}

/** Inverse of `parseSortOrder`. */
export function sortOrderToJson(order: SortOrder): JsonObject {
  return {
    'order-id': order.orderId,
    fields: order.fields.map((field) => ({
      transform: transformToString(field.transform),
      ...sourceIdsToJson(field.sourceIds),
      direction: field.direction,
      'null-order': field.nullOrder,
      ...field.extra,
    })),
    ...order.extra,
  }
}
