import { isPresent, readInteger, readIntegers } from './json-member.ts'
import type { JsonObject } from './json.ts'

export const sourceMembers: readonly string[] = ['source-id', 'source-ids']

/** `source-id`, or the `source-ids` of v3 multi-argument transforms; none for a source-less void tombstone. */
export function parseSourceIds(object: JsonObject, where: string): readonly number[] {
  const several = object['source-ids']
  if (isPresent(several)) return readIntegers(several, `${where}: "source-ids"`)
  return isPresent(object['source-id']) ? [readInteger(object, 'source-id', where)] : []
}

/** Spec Appendix C: a single source is written as `source-id` in every version, so that old readers find it. */
export function sourceIdsToJson(sourceIds: readonly number[]): JsonObject {
  const [first] = sourceIds
  if (first === undefined) return {}
  return sourceIds.length === 1 ? { 'source-id': first } : { 'source-ids': sourceIds }
}
