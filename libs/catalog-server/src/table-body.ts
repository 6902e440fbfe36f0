import { createHash } from 'node:crypto'
import { readRestrictionsToJson } from '@floe/catalog'
import type { LoadedTable } from '@floe/catalog'
import { serializeTableMetadata, stringifyJson } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { TableAccess } from './storage-delegation.ts'

/** Spec `snapshots` of loadTable: all of them, or those that a branch or tag points at. */
export type SnapshotMode = 'all' | 'refs'

export type TableAnswer = { readonly etag: string; readonly body: Uint8Array<ArrayBuffer> }

const encoder = new TextEncoder()

/** Ready answers by ETag, those used last, within a budget of bytes: a long history takes longest to write out. */
export class TableBodies {
  readonly #bodies = new Map<string, Uint8Array<ArrayBuffer>>()
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Spec `LoadTableResult`. The ETag covers everything that the body is made from. */
  answer(table: LoadedTable, access: TableAccess, mode: SnapshotMode): TableAnswer {
    const etag = tableEtag(table, access, mode)
    const ready = this.#bodies.get(etag)
    if (ready !== undefined) {
      this.#bodies.delete(etag)
      this.#bodies.set(etag, ready)
      return { etag, body: ready }
    }
    const body = encoder.encode(loadTableResult(table, access, mode))
    this.#keep(etag, body)
    return { etag, body }
  }

  #keep(etag: string, body: Uint8Array<ArrayBuffer>): void {
    if (body.byteLength > this.#bytesMax) return
    this.#bodies.set(etag, body)
    this.#bytes += body.byteLength
    for (const [oldest, old] of this.#bodies) {
      if (this.#bytes <= this.#bytesMax) return
      this.#bodies.delete(oldest)
      this.#bytes -= old.byteLength
    }
  }
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
