import { randomInt } from 'node:crypto'
import type { JsonObject } from '@floe/iceberg'

/** Columns of the tables that the catalog suite makes. */
const fields = ['id', 'customer', 'product', 'amount', 'comment'].map((name, at) => ({
  id: at + 1,
  name,
  required: false,
  type: at === 4 ? 'string' : 'long',
}))
export const tableSchema: JsonObject = { type: 'struct', 'schema-id': 0, fields }

/** Body of a create, with everything that PyIceberg sends: Nessie answers 500 to less. */
export function createBody(name: string): string {
  return JSON.stringify({
    name,
    schema: { ...tableSchema, 'identifier-field-ids': [] },
    'partition-spec': { 'spec-id': 0, fields: [] },
    'write-order': { 'order-id': 0, fields: [] },
    'stage-create': false,
    properties: {},
  })
}

/** Metadata of a table with `snapshots` appends on `main`, as text. Ids are beyond 2^53, as those of clients are. */
export function tableHistory(uuid: string, location: string, snapshots: number, nowMs: number): string {
  const ids = Array.from({ length: snapshots }, (_, at) => `7${String(at + 1).padStart(18, '0')}`)
  const timeOf = (at: number): number => nowMs - (snapshots - at) * 1000
  const entries = ids.map((id, at) => {
    const parent = at === 0 ? '' : `"parent-snapshot-id":${ids[at - 1]},`
    return `{"sequence-number":${at + 1},"snapshot-id":${id},${parent}"timestamp-ms":${timeOf(at)},"summary":${summary},"manifest-list":"${location}/metadata/snap-${id}-1-${uuid}.avro","schema-id":0}`
  })
  const log = ids.map((id, at) => `{"timestamp-ms":${timeOf(at)},"snapshot-id":${id}}`)
  const newest = ids.at(-1) ?? '-1'
  return `{"format-version":2,"table-uuid":"${uuid}","location":"${location}","last-sequence-number":${snapshots},"last-updated-ms":${timeOf(snapshots - 1)},"last-column-id":5,"current-schema-id":0,"schemas":[${JSON.stringify(tableSchema)}],"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,"default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{},"current-snapshot-id":${newest},"refs":{"main":{"snapshot-id":${newest},"type":"branch"}},"snapshots":[${entries.join(',')}],"statistics":[],"partition-statistics":[],"snapshot-log":[${log.join(',')}],"metadata-log":[]}`
}

const summary = JSON.stringify({
  operation: 'append',
  'added-data-files': '4',
  'added-records': '100000',
  'added-files-size': '4500000',
  'changed-partition-count': '1',
  'total-records': '100000',
  'total-files-size': '4500000',
  'total-data-files': '4',
  'total-delete-files': '0',
  'total-position-deletes': '0',
  'total-equality-deletes': '0',
})

/** What a commit needs to know of the table that it is on. */
type TableHead = {
  readonly uuid: string
  readonly location: string
  readonly snapshotId: string | undefined
  readonly sequenceNumber: number
}

/** Picked from the answer of a load without parsing it. */
export function readHead(answer: Buffer): TableHead {
  const text = answer.toString('latin1')
  const pick = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1]
  const snapshotId = pick(/"current-snapshot-id"\s*:\s*(-?\d+)/)
  return {
    uuid: pick(/"table-uuid"\s*:\s*"([^"]+)"/) ?? '',
    location: pick(/"location"\s*:\s*"([^"]+)"/) ?? '',
    snapshotId: snapshotId === '-1' ? undefined : snapshotId,
    sequenceNumber: Number(pick(/"last-sequence-number"\s*:\s*(\d+)/) ?? '0'),
  }
}

/** Body of an append as clients send it: on the snapshot that was read, and on no other. */
export function appendBody({ uuid, location, snapshotId, sequenceNumber }: TableHead, nowMs: number): string {
  // 2^47 is the most that `randomInt` takes; twelve more digits lift the id beyond 2^53.
  const id = `1${String(randomInt(2 ** 47)).padStart(15, '0')}00`
  const parent = snapshotId === undefined ? '' : `"parent-snapshot-id":${snapshotId},`
  const snapshot = `{"snapshot-id":${id},${parent}"sequence-number":${sequenceNumber + 1},"timestamp-ms":${nowMs},"manifest-list":"${location}/metadata/snap-${id}.avro","summary":${summary},"schema-id":0}`
  return `{"requirements":[{"type":"assert-table-uuid","uuid":"${uuid}"},{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":${snapshotId ?? 'null'}}],"updates":[{"action":"add-snapshot","snapshot":${snapshot}},{"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":${id}}]}`
}

/** Snapshots and entries of the snapshot log in the answer to a load. */
export function heldHistory(answer: string): { readonly snapshots: number; readonly logEntries: number } {
  const { metadata } = JSON.parse(answer) as {
    readonly metadata: Readonly<Record<'snapshots' | 'snapshot-log', readonly unknown[] | undefined>>
  }
  return { snapshots: metadata.snapshots?.length ?? 0, logEntries: metadata['snapshot-log']?.length ?? 0 }
}
