import { parseJson, stringifyJson } from '@floe/iceberg'
import type { JsonObject, JsonValue } from '@floe/iceberg'
import type { LeafIdentity, SourceIdentity } from '@floe/postgres'
import { isObject } from './checkpoint.ts'

/** Who has a load's state, and what its files are of. Closed: they are committed, removed, or about to be either. */
export type StatePlan = { readonly kind: 'closed' } | OpenStatePlan

export type OpenStatePlan = {
  readonly kind: 'open'
  readonly source: SourceIdentity
  readonly leaves: readonly LeafIdentity[]
  /** The instant that the files are of. */
  readonly snapshot: { readonly xmin: bigint; readonly xmax: bigint; readonly takenAt: string }
  /** What decides the content of files, by the name it has for users. */
  readonly fingerprint: Readonly<Record<string, string>>
  /** The table as it was staged: the files are below its location. Absent for one that exists. */
  readonly staged?: { readonly location: string; readonly uuid: string }
  /** Checkpoints of older generations whose rows are those of this instant, too. */
  readonly keeps: readonly string[]
}

const version = 1

export function encodeStatePlan(plan: StatePlan): Uint8Array {
  return new TextEncoder().encode(
    stringifyJson(plan.kind === 'closed' ? { version, kind: 'closed' } : openToJson(plan)),
  )
}

/** `undefined` for what another version has written, or what was damaged. */
export function decodeStatePlan(bytes: Uint8Array): StatePlan | undefined {
  try {
    const state = parseJson(new TextDecoder().decode(bytes))
    if (!isObject(state) || state['version'] !== version) return undefined
    return state['kind'] === 'closed' ? { kind: 'closed' } : parseOpen(state)
  } catch {
    return undefined
  }
}

function openToJson({ source, leaves, snapshot, fingerprint, staged, keeps }: OpenStatePlan): JsonObject {
  return {
    version,
    kind: 'open',
    source,
    leaves,
    snapshot: { xmin: String(snapshot.xmin), xmax: String(snapshot.xmax), 'taken-at': snapshot.takenAt },
    fingerprint,
    ...(staged === undefined ? {} : { staged }),
    keeps,
  }
}

function parseOpen(state: JsonObject): OpenStatePlan {
  const { source, leaves, snapshot, fingerprint, staged, keeps } = state
  const { system, timeline, database, isStandby } = objectOf(source)
  const { xmin, xmax, 'taken-at': takenAt } = objectOf(snapshot)
  return {
    kind: 'open',
    source: {
      system: textOf(system),
      timeline: textOf(timeline),
      database: numberOf(database),
      isStandby: isStandby === true,
    },
    leaves: arrayOf(leaves).map(parseLeaf),
    snapshot: { xmin: BigInt(textOf(xmin)), xmax: BigInt(textOf(xmax)), takenAt: textOf(takenAt) },
    fingerprint: Object.fromEntries(
      Object.entries(objectOf(fingerprint)).map(([name, digest]) => [name, textOf(digest)]),
    ),
    ...(staged === undefined ? {} : { staged: parseStaged(staged) }),
    keeps: arrayOf(keeps).map(textOf),
  }
}

function parseLeaf(value: JsonValue): LeafIdentity {
  const { oid, schema, name, file, accessMethod } = objectOf(value)
  return {
    oid: numberOf(oid),
    schema: textOf(schema),
    name: textOf(name),
    file: textOf(file),
    accessMethod: textOf(accessMethod),
  }
}

function parseStaged(value: JsonValue): NonNullable<OpenStatePlan['staged']> {
  const { location, uuid } = objectOf(value)
  return { location: textOf(location), uuid: textOf(uuid) }
}

function objectOf(value: JsonValue | undefined): JsonObject {
  if (isObject(value)) return value
  throw new TypeError('no object')
}

function arrayOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return value
  throw new TypeError('no list')
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value
  throw new TypeError('no text')
}

function numberOf(value: JsonValue | undefined): number {
  if (typeof value === 'number') return value
  throw new TypeError('no number')
}
