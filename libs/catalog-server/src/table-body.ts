import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { readRestrictionsToJson } from '@floe/catalog'
import type { LoadedTable } from '@floe/catalog'
import { serializeTableMetadata, stringifyJson } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { TableAccess } from './storage-delegation.ts'

/** Spec `snapshots` of loadTable: all of them, or those that a branch or tag points at. */
export type SnapshotMode = 'all' | 'refs'

export type TableAnswer = {
  readonly etag: string
  readonly body: Uint8Array<ArrayBuffer>
  readonly isGzip: boolean
}

const encoder = new TextEncoder()

type Encoding = 'identity' | 'gzip'

/** Answers that are compressed for clients that take it: below, it costs more time than the bytes. */
const gzipBytesMin = 32 * 1024
/** Ten thousand snapshots: level 1 takes 0.4 times the time of level 6. */
const gzipLevel = 1
const gzipAsync = promisify<Uint8Array, { level: number }, Buffer<ArrayBuffer>>(gzip)

/** Ready answers by ETag and encoding, those used last, within a budget of bytes: a long history takes longest to write out. */
export class TableBodies {
  readonly #bodies = new Map<string, TableAnswer>()
  readonly #writing = new Map<string, Promise<TableAnswer>>()
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Spec `LoadTableResult`. The ETag covers everything that the body is made from. */
  async answer(
    table: LoadedTable,
    access: TableAccess,
    mode: SnapshotMode,
    encoding: Encoding = 'identity',
  ): Promise<TableAnswer> {
    const etag = tableEtag(table, access, mode)
    const key = `${encoding} ${etag}`
    const ready = this.#bodies.get(key)
    if (ready !== undefined) {
      this.#bodies.delete(key)
      this.#bodies.set(key, ready)
      return ready
    }
    // Clients that ask at once share the work.
    let writing = this.#writing.get(key)
    if (writing === undefined) {
      writing = writeAnswer(etag, loadTableResult(table, access, mode), encoding)
      this.#writing.set(key, writing)
      const settle = (): void => void this.#writing.delete(key)
      writing.then((answer) => this.#keep(key, answer), settle).then(settle, settle)
    }
    return writing
  }

  #keep(key: string, answer: TableAnswer): void {
    if (answer.body.byteLength > this.#bytesMax) return
    this.#bodies.set(key, answer)
    this.#bytes += answer.body.byteLength
    for (const [oldest, old] of this.#bodies) {
      if (this.#bytes <= this.#bytesMax) return
      this.#bodies.delete(oldest)
      this.#bytes -= old.body.byteLength
    }
  }
}

async function writeAnswer(etag: string, text: string, encoding: Encoding): Promise<TableAnswer> {
  const body = encoder.encode(text)
  if (encoding === 'identity' || body.byteLength < gzipBytesMin) return { etag, body, isGzip: false }
  return { etag, body: await gzipAsync(body, { level: gzipLevel }), isGzip: true }
}

/** RFC 9110, Accept-Encoding: what is named without `q=0`. */
export function acceptedEncoding(acceptEncoding: string | undefined): Encoding {
  const isAccepted = (acceptEncoding ?? '')
    .split(',')
    .some((item) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9]\d*)(?:\.0*)?\s*)?$/i.test(item))
  return isAccepted ? 'gzip' : 'identity'
}

/**
 * Differs for every metadata file, snapshot mode, config, kind of access and restriction, so that a 304 never hides that
 * one has changed. Credentials change well before they end.
 */
export function tableEtag(
  { metadata, metadataLocation, readRestrictions }: LoadedTable,
  { config, members }: TableAccess,
  mode: SnapshotMode,
): string {
  const keys = Object.keys(config).sort()
  const restrictions =
    readRestrictions === undefined ? [] : [stringifyJson(readRestrictionsToJson(readRestrictions, metadata))]
  const parts = stringifyJson([
    metadataLocation ?? null,
    mode,
    keys,
    keys.map((key) => config[key] ?? null),
    members,
    ...restrictions,
  ])
  return `W/"${createHash('sha256').update(parts).digest('base64url')}"`
}

/** RFC 9110, If-None-Match: a list of tags, compared weakly, or `*`. */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaque(tag) === opaque(etag))
}

/** Spec `LoadTableResult`, as text: metadata of a long history is written faster than as one JSON value. */
export function loadTableResult(
  { metadata, metadataLocation, readRestrictions }: LoadedTable,
  { config, members }: TableAccess,
  mode: SnapshotMode,
): string {
  const place =
    metadataLocation === undefined ? '' : `"metadata-location":${JSON.stringify(metadataLocation)},`
  const others = {
    ...members,
    ...(readRestrictions === undefined
      ? {}
      : { 'read-restrictions': readRestrictionsToJson(readRestrictions, metadata) }),
  }
  const rest = Object.keys(others).length === 0 ? '' : `,${stringifyJson(others).slice(1, -1)}`
  const text = serializeTableMetadata(mode === 'refs' ? withReferencedSnapshots(metadata) : metadata)
  return `{${place}"metadata":${text},"config":${JSON.stringify(config)}${rest}}`
}

/** Spec `CommitTableResponse` and `UnregisterTableResult`, as text. */
export function locatedTable({ metadata, metadataLocation }: LoadedTable): string {
  const place = JSON.stringify(metadataLocation ?? null)
  return `{"metadata-location":${place},"metadata":${serializeTableMetadata(metadata)}}`
}

function withReferencedSnapshots(metadata: TableMetadata): TableMetadata {
  const referenced = new Set(Object.values(metadata.refs).map(({ snapshotId }) => snapshotId))
  if (metadata.currentSnapshotId !== undefined) referenced.add(metadata.currentSnapshotId)
  return { ...metadata, snapshots: metadata.snapshots.filter(({ snapshotId }) => referenced.has(snapshotId)) }
}
