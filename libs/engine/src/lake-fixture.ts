import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openSqlCatalog } from '@floe/catalog/sql'
import type { Catalog, TableIdentifier } from '@floe/catalog'
import {
  currentSchema,
  decodeManifest,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  encodeSingleValue,
  FloeError,
  inheritEntries,
  isPrimitive,
  manifestFileFor,
  singleValueFromJson,
  snapshotByRef,
} from '@floe/iceberg'
import type {
  DataFile,
  JsonValue,
  ManifestEntry,
  ManifestFile,
  NestedField,
  Partition,
  PrimitiveType,
  Snapshot,
  TableMetadata,
  TableUpdate,
  Type,
} from '@floe/iceberg'
import { joinLocation, openObjectStore } from '@floe/storage'
import type { OpenObjectStore } from '@floe/storage'

import { openSession, readRows } from './duckdb-session.ts'
import type { DuckDBSession } from './duckdb-session.ts'
import type { Engine, QueryOptions } from './engine.ts'
import type { QueryResult } from './query-result.ts'
import { quoteIdentifier, quoteText } from './sql-text.ts'

/** Rows of one data or delete file, as a SELECT that DuckDB writes to Parquet. */
export type FileDefinition = {
  readonly rows: string
  /** Fields whose ids the file carries: the table's current ones when absent, none at all for `null`. */
  readonly fields?: readonly NestedField[] | null
  readonly partition?: Partition
  readonly specId?: number
  readonly content?: DataFile['content']
  readonly equalityIds?: readonly number[]
  readonly name?: string
}

export type CommitOptions = {
  readonly snapshotId?: bigint
  readonly branch?: string
  /** Delete files that are not written by DuckDB. */
  readonly extra?: readonly DataFile[]
  /** Locations of live files that the snapshot takes out of the table. */
  readonly removed?: readonly string[]
  readonly operation?: 'replace'
}

export const positionDeleteFields: readonly NestedField[] = [
  { id: 2147483546, name: 'file_path', type: { kind: 'string' }, required: true },
  { id: 2147483545, name: 'pos', type: { kind: 'long' }, required: true },
]

/** A real catalog over a real store, whose tables are written file by file. For tests. */
export class Lake {
  readonly directory: string
  readonly catalog: Catalog
  readonly store: OpenObjectStore
  readonly clock: { nowMs: number; now(): number }
  readonly #session: DuckDBSession
  #commits = 0n

  constructor(parts: Pick<Lake, 'directory' | 'catalog' | 'store' | 'clock'>, session: DuckDBSession) {
    this.directory = parts.directory
    this.catalog = parts.catalog
    this.store = parts.store
    this.clock = parts.clock
    this.#session = session
  }

  async createTable(
    identifier: TableIdentifier,
    fields: readonly NestedField[],
    rest: CreateRest = {},
  ): Promise<void> {
    for (let levels = 1; levels <= identifier.namespace.length; levels++) {
      await this.catalog.createNamespace(identifier.namespace.slice(0, levels)).catch(ignoreExisting)
    }
    await this.catalog.createTable(identifier, { schema: { schemaId: 0, fields }, ...rest })
  }

  async update(identifier: TableIdentifier, updates: readonly TableUpdate[]): Promise<void> {
    await this.catalog.commitTable(identifier, { requirements: [], updates })
  }

  /** Makes `fields` the current schema. */
  async evolve(identifier: TableIdentifier, fields: readonly NestedField[]): Promise<void> {
    await this.update(identifier, [
      { action: 'add-schema', schema: { schemaId: -1, fields } },
      { action: 'set-current-schema', schemaId: -1 },
    ])
  }

  /** Commits files in one manifest per content and spec. Returns the files, with their locations and metrics. */
  async commit(
    identifier: TableIdentifier,
    definitions: readonly FileDefinition[],
    options: CommitOptions = {},
  ): Promise<{ readonly snapshotId: bigint; readonly files: readonly DataFile[] }> {
    const { metadata } = await this.catalog.loadTable(identifier)
    this.clock.nowMs += 60_000
    this.#commits += 1n
    const snapshotId = options.snapshotId ?? this.#commits
    const written: DataFile[] = []
    for (const definition of definitions) written.push(await this.#writeFile(definition, metadata))
    const files = [...written, ...(options.extra ?? [])]
    const staged = await this.#stage(metadata, files, snapshotId, options)
    const { operation = staged.summary?.['operation'] ?? 'append' } = options
    const snapshot = { ...staged, summary: { operation } }
    const ref = { snapshotId, type: 'branch' } as const
    await this.update(identifier, [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', refName: options.branch ?? 'main', ref },
    ])
    return { snapshotId, files }
  }

  async close(): Promise<void> {
    this.#session.close()
    await this.catalog.close()
    await this.store.close()
    await rm(this.directory, { recursive: true, force: true })
  }

  async #stage(
    metadata: TableMetadata,
    files: readonly DataFile[],
    snapshotId: bigint,
    { branch = 'main', removed = [] }: CommitOptions,
  ): Promise<Snapshot> {
    const { location, formatVersion, nextRowId } = metadata
    const parent = branch in metadata.refs || branch === 'main' ? snapshotByRef(metadata, branch) : undefined
    const inherited =
      parent?.manifestList === undefined ? [] : decodeManifestList(await this.store.get(parent.manifestList))
    const sequenceNumber = formatVersion === 1 ? 0n : metadata.lastSequenceNumber + 1n
    const manifests: ManifestFile[] = []
    const groups = Map.groupBy(
      files,
      ({ content, specId }) => `${content === 'data' ? 'data' : 'deletes'} ${specId}`,
    )
    for (const group of groups.values()) {
      manifests.push(await this.#writeManifest(metadata, group, { snapshotId, sequenceNumber }))
    }
    const manifestList = joinLocation(location, 'metadata', `snap-${snapshotId}-${randomUUID()}.avro`)
    const kept: ManifestFile[] = []
    for (const manifest of inherited)
      kept.push(...(await this.#withoutFiles(metadata, manifest, removed, { snapshotId, sequenceNumber })))
    const bytes = encodeManifestList([...manifests, ...kept], {
      snapshotId,
      sequenceNumber,
      formatVersion,
      parentSnapshotId: parent?.snapshotId,
    })
    await this.store.put(manifestList, bytes)
    return {
      snapshotId,
      ...(parent === undefined ? {} : { parentSnapshotId: parent.snapshotId }),
      sequenceNumber,
      timestampMs: this.clock.nowMs,
      manifestList,
      summary: { operation: files.every(({ content }) => content === 'data') ? 'append' : 'delete' },
      schemaId: metadata.currentSchemaId,
      ...(formatVersion === 3 ? { firstRowId: nextRowId ?? 0n, addedRows: 0n } : {}),
    }
  }

  /** The manifest, or one in its place where files of it are gone. */
  async #withoutFiles(
    metadata: TableMetadata,
    manifest: ManifestFile,
    removed: readonly string[],
    commit: { readonly snapshotId: bigint; readonly sequenceNumber: bigint },
  ): Promise<readonly ManifestFile[]> {
    if (removed.length === 0) return [manifest]
    const { header, entries } = decodeManifest(await this.store.get(manifest.manifestPath))
    const inherited = inheritEntries(entries, manifest)
    if (!inherited.some(({ dataFile }) => removed.includes(dataFile.filePath))) return [manifest]
    const changed = inherited.map((entry): ManifestEntry => {
      const isGone = removed.includes(entry.dataFile.filePath)
      return {
        ...entry,
        ...(isGone ? { status: 'deleted', snapshotId: commit.snapshotId } : { status: 'existing' }),
      }
    })
    const bytes = encodeManifest(header, changed)
    const path = joinLocation(metadata.location, 'metadata', `${randomUUID()}-m0.avro`)
    await this.store.put(path, bytes)
    return [manifestFileFor(path, bytes.byteLength, header, changed, commit)]
  }

  async #writeManifest(
    metadata: TableMetadata,
    files: readonly DataFile[],
    commit: { readonly snapshotId: bigint; readonly sequenceNumber: bigint },
  ): Promise<ManifestFile> {
    const [first] = files
    const spec = metadata.partitionSpecs.find(({ specId }) => specId === first?.specId)
    if (first === undefined || spec === undefined) throw new FloeError('internal', 'no such partition spec')
    const header = {
      schema: currentSchema(metadata),
      spec,
      formatVersion: metadata.formatVersion,
      content: first.content === 'data' ? ('data' as const) : ('deletes' as const),
    }
    const entries = files.map((dataFile): ManifestEntry => ({
      status: 'added',
      snapshotId: commit.snapshotId,
      dataFile,
    }))
    const bytes = encodeManifest(header, entries)
    const path = joinLocation(metadata.location, 'metadata', `${randomUUID()}-m0.avro`)
    await this.store.put(path, bytes)
    return manifestFileFor(path, bytes.byteLength, header, entries, {
      ...commit,
      ...(metadata.formatVersion === 3 && header.content === 'data'
        ? { firstRowId: metadata.nextRowId ?? 0n }
        : {}),
    })
  }

  async #writeFile(definition: FileDefinition, metadata: TableMetadata): Promise<DataFile> {
    const { rows, content = 'data', name = `${randomUUID()}.parquet` } = definition
    const fields = definition.fields === undefined ? currentSchema(metadata).fields : definition.fields
    const local = join(this.directory, `${randomUUID()}.parquet`)
    const ids = fields === null ? '' : `, FIELD_IDS ${fieldIds(fields)}`
    await readRows(this.#session.connection, `COPY (${rows}) TO ${quoteText(local)} (FORMAT parquet${ids})`)
    const bytes = await readFile(local)
    const filePath = joinLocation(metadata.location, 'data', name)
    await this.store.put(filePath, bytes)
    return {
      content,
      filePath,
      fileFormat: 'parquet',
      specId: definition.specId ?? metadata.defaultSpecId,
      partition: definition.partition ?? [],
      fileSizeInBytes: bytes.byteLength,
      ...(definition.equalityIds === undefined ? {} : { equalityIds: definition.equalityIds }),
      ...(await this.#measure(local, fields ?? [])),
    }
  }

  async #measure(path: string, fields: readonly NestedField[]): Promise<Metrics> {
    const from = `FROM read_parquet(${quoteText(path)})`
    const { connection } = this.#session
    const recordCount = Number((await readRows(connection, `SELECT count(*) ${from}`))[0]?.[0])
    const [valueCounts, nullValueCounts] = [new Map<number, number>(), new Map<number, number>()]
    const [lowerBounds, upperBounds] = [new Map<number, Uint8Array>(), new Map<number, Uint8Array>()]
    for (const { id, column, type } of leaves(fields, '')) {
      const numbers =
        type.kind === 'double' || type.kind === 'float' ? `FILTER (WHERE NOT isnan(${column}))` : ''
      const shown = `SELECT min(${column}) ${numbers}, max(${column}) ${numbers}, count(*) - count(${column}) ${from}`
      const [row] = await readRows(connection, `SELECT to_json(columns(*)) FROM (${shown})`)
      const [least, greatest, nulls] = (row ?? []).map((json) => parseMeasured(String(json ?? 'null')))
      valueCounts.set(id, recordCount)
      nullValueCounts.set(id, Number(nulls))
      if (least === null || least === undefined || greatest === null || greatest === undefined) continue
      lowerBounds.set(id, encodeSingleValue(type, singleValueFromJson(type, isoJson(type, least))))
      upperBounds.set(id, encodeSingleValue(type, singleValueFromJson(type, isoJson(type, greatest))))
    }
    return { recordCount, valueCounts, nullValueCounts, lowerBounds, upperBounds }
  }
}

/** DuckDB's JSON has infinities, which JSON has not. */
function parseMeasured(json: string): JsonValue {
  return /^-?Infinity$/.test(json) ? json : (JSON.parse(json) as JsonValue)
}

function leaves(fields: readonly NestedField[], parent: string): readonly Leaf[] {
  return fields.flatMap(({ id, name, type }): readonly Leaf[] => {
    const column = `${parent}${quoteIdentifier(name)}`
    if (isPrimitive(type)) return unmeasured.has(type.kind) ? [] : [{ id, column, type }]
    return type.kind === 'struct' ? leaves(type.fields, `${column}.`) : []
  })
}

/** Types without an order, and those that stand in no file. */
const unmeasured: ReadonlySet<Type['kind']> = new Set([
  'variant',
  'geometry',
  'geography',
  'unknown',
  'timestamp_ns',
  'timestamptz_ns',
])

type Leaf = { readonly id: number; readonly column: string; readonly type: PrimitiveType }
type Metrics = Required<
  Pick<DataFile, 'recordCount' | 'valueCounts' | 'nullValueCounts' | 'lowerBounds' | 'upperBounds'>
>
type CreateRest = Omit<Parameters<Catalog['createTable']>[1], 'schema'>

function isoJson(type: Type, json: JsonValue): JsonValue {
  if (typeof json === 'number' && type.kind === 'decimal') return json.toFixed(type.scale)
  if (typeof json !== 'string') return json
  if (type.kind === 'timestamptz') return `${json.replace(' ', 'T').slice(0, -3)}+00:00`
  return type.kind === 'timestamp' ? json.replace(' ', 'T') : json
}

function fieldIds(fields: readonly NestedField[]): string {
  return `{${fields.map(({ id, name, type }) => `${quoteIdentifier(name)}: ${idsOf(id, type)}`).join(', ')}}`
}

function idsOf(id: number, type: Type): string {
  const inner = (children: string): string =>
    `{__duckdb_field_id: ${id}${children === '' ? '' : `, ${children}`}}`
  switch (type.kind) {
    case 'struct':
      return inner(fieldIds(type.fields).slice(1, -1))
    case 'list':
      return inner(`element: ${idsOf(type.elementId, type.element)}`)
    case 'map':
      return inner(`key: ${idsOf(type.keyId, type.key)}, value: ${idsOf(type.valueId, type.value)}`)
    default:
      return String(id)
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof FloeError) || error.code !== 'already-exists') throw error
}

/** @param scheme  where data files go: local files, or memory, which the engine has to copy */
export async function openLake(scheme: 'file' | 'memory' = 'file'): Promise<Lake> {
  const directory = await mkdtemp(join(tmpdir(), 'floe-engine-'))
  const store = openObjectStore()
  const clock = {
    nowMs: Date.UTC(2026, 0, 1),
    now(): number {
      return this.nowMs
    },
  }
  const warehouse =
    scheme === 'file' ? `file://${join(directory, 'warehouse')}` : `memory://lake-${randomUUID()}/warehouse`
  const catalog = await openSqlCatalog(
    { database: { kind: 'sqlite', path: join(directory, 'catalog.db') }, warehouse, clock, uuid: randomUUID },
    { store },
  )
  return new Lake({ directory, catalog, store, clock }, await openSession({ memoryMaxMb: 256, threads: 1 }))
}

export function field(
  id: number,
  name: string,
  type: Type | Exclude<Type['kind'], 'struct' | 'list' | 'map' | 'decimal' | 'fixed'>,
): NestedField {
  return { id, name, type: typeof type === 'string' ? { kind: type } : type, required: false }
}

/** Every row of a query, and its result for what else it tells. */
export async function readAll(
  engine: Pick<Engine, 'query'>,
  sql: string,
  options: QueryOptions = {},
): Promise<{ readonly rows: readonly (readonly unknown[])[]; readonly result: QueryResult }> {
  const result = await engine.query(sql, options)
  const rows: (readonly unknown[])[] = []
  for await (const batch of result.rows()) rows.push(...batch)
  return { rows, result }
}

export async function rowsOf(
  engine: Pick<Engine, 'query'>,
  sql: string,
): Promise<readonly (readonly unknown[])[]> {
  return (await readAll(engine, sql)).rows
}
