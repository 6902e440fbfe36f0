import { FloeError } from '@floe/iceberg/values'
import type { SourceConnection } from '../source/connect-source.ts'
import { quoteRelation } from '../source/relation-name.ts'
import { sourceError } from '../source/source-error.ts'
import type { SourceLeaf, SourceTable } from '../source/source-table.ts'
import type { ColumnPlan } from './column-plan.ts'

/** Blocks of one relation. `relation` is quoted SQL. */
export type BlockRange = {
  readonly relation: string
  readonly firstBlock: number
  /** Inclusive; `undefined` means to the end, wherever that is. */
  readonly lastBlock: number | undefined
}

/** A range of one relation that one worker reads at a time. Plain data. `relation` is quoted SQL. */
export type Chunk =
  | (BlockRange & {
      readonly kind: 'blocks'
      readonly index: number
      /** A condition in SQL that the rows meet. */
      readonly filter?: string
    })
  | { readonly kind: 'whole'; readonly index: number; readonly relation: string; readonly filter?: string }

export type ReadMethod = 'copy' | 'cursor'

export type ChunkPlan = {
  readonly chunks: readonly Chunk[]
  readonly method: ReadMethod
  readonly reason: string
}

export type ChunkOptions = {
  readonly workers: number
  /** Table bytes of a chunk at most (default 64 MiB); smaller where each worker would get less than four. */
  readonly chunkBytes?: number
  /** `cursor` for servers behind a pooler that refuses COPY. Default `copy`. */
  readonly method?: ReadMethod
  /** The condition in SQL that the rows of a leaf meet; `undefined` reads them all. */
  readonly filterOf?: (leaf: SourceLeaf) => string | undefined
  /** Conditions that part the rows among them, each served by an index: one chunk each, in place of ranges of ctid. */
  readonly ranges?: readonly string[]
  /** Blocks that need not be read. */
  readonly except?: readonly BlockRange[]
}

const chunkBytesDefault = 64 * 1024 * 1024
/** Below this a chunk costs more in round trips than it balances. */
const chunkBytesMin = 1024 * 1024
const chunksPerWorkerMin = 4
/** Before 14 a range of ctid scans the whole table. */
const tidRangeVersionMin = 140_000

/**
 * Splits a table into chunks, largest relation first, and says how they are read and why.
 * @throws permission-denied when SELECT is not granted, or when row security would hide rows
 */
export async function planChunks(
  client: SourceConnection,
  table: SourceTable,
  options: ChunkOptions,
): Promise<ChunkPlan> {
  const { method = 'copy' } = options
  try {
    const { version, blockBytes } = await checkAccess(client, table)
    if (options.ranges !== undefined) return planRanges(table, options.ranges, method)
    const splittable = version >= tidRangeVersionMin && table.kind !== 'view' && table.kind !== 'foreign'
    if (!splittable) {
      const why =
        version >= tidRangeVersionMin
          ? `a ${table.kind} has no blocks`
          : 'PostgreSQL before 14 scans no ranges of ctid'
      return {
        chunks: [wholeChunk(table, options.filterOf?.({ ...table }))],
        method,
        reason: `${describeMethod(method)}, in one piece: ${why}`,
      }
    }
    const chunks = await splitLeaves(client, table.leaves, blockBytes, options)
    const pieces = chunks.length === 1 ? 'one piece' : `${chunks.length} ranges of ctid`
    const relations = table.leaves.length === 1 ? '' : ` over ${table.leaves.length} relations`
    return { chunks, method, reason: `${describeMethod(method)}, ${pieces}${relations}` }
  } catch (error) {
    throw sourceError(`planning the chunks of ${quoteRelation(table)}`, error)
  }
}

function planRanges(table: SourceTable, ranges: readonly string[], method: ReadMethod): ChunkPlan {
  const chunks = ranges.map((filter, index) => ({ ...wholeChunk(table, filter), index }))
  const pieces = chunks.length === 1 ? 'one range of an index' : `${chunks.length} ranges of an index`
  return { chunks, method, reason: `${describeMethod(method)}, ${pieces}` }
}

function wholeChunk(
  relation: { readonly schema: string; readonly name: string },
  filter: string | undefined,
): Chunk {
  const chunk = { kind: 'whole', index: 0, relation: quoteRelation(relation) } as const
  return filter === undefined ? chunk : { ...chunk, filter }
}

function describeMethod(method: ReadMethod): string {
  return method === 'copy' ? 'COPY BINARY' : 'a cursor in text mode, as asked for'
}

type AccessRow = { version: number; block_bytes: number; readable: boolean | null; filtered: boolean }

async function checkAccess(
  client: SourceConnection,
  table: SourceTable,
): Promise<{ version: number; blockBytes: number }> {
  const { rows } = await client.query<AccessRow>(
    `SELECT pg_catalog.current_setting('server_version_num')::int AS version,
       pg_catalog.current_setting('block_size')::int AS block_bytes,
       pg_catalog.has_table_privilege($1::oid, 'SELECT') OR pg_catalog.has_any_column_privilege($1::oid, 'SELECT') AS readable,
       pg_catalog.row_security_active($1::oid) AS filtered`,
    [table.oid],
  )
  const { version, block_bytes: blockBytes, readable, filtered } = rows[0] as AccessRow
  const name = quoteRelation(table)
  if (readable !== true) {
    throw new FloeError('permission-denied', `SELECT on ${name} is not granted to this user`, {
      hint: `GRANT SELECT ON ${name} TO the user of the URL`,
    })
  }
  if (filtered) {
    throw new FloeError(
      'permission-denied',
      `row security of ${name} would hide rows from this user without a word`,
      {
        hint: 'load as the owner of the table or as a role with BYPASSRLS',
      },
    )
  }
  return { version, blockBytes }
}

type LeafSize = { readonly leaf: SourceLeaf; readonly blocks: number; readonly bytes: number }

async function splitLeaves(
  client: SourceConnection,
  leaves: readonly SourceLeaf[],
  blockBytes: number,
  { workers, chunkBytes = chunkBytesDefault, filterOf, except = [] }: ChunkOptions,
): Promise<readonly Chunk[]> {
  const sizes = await measureLeaves(client, leaves, blockBytes)
  const totalBytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  const targetBytes = Math.max(
    chunkBytesMin,
    Math.min(chunkBytes, Math.ceil(totalBytes / (workers * chunksPerWorkerMin))),
  )
  const largestFirst = sizes.toSorted((left, right) => right.bytes - left.bytes)
  return largestFirst
    .flatMap((size) => splitLeaf(size, targetBytes, filterOf?.(size.leaf), except))
    .map((chunk, index) => ({ ...chunk, index }))
}

/** `pg_relation_size` is the heap as it is; `relpages` would be as old as the last VACUUM. */
async function measureLeaves(
  client: SourceConnection,
  leaves: readonly SourceLeaf[],
  blockBytes: number,
): Promise<readonly LeafSize[]> {
  const { rows } = await client.query<{ oid: number; heap: number; bytes: number }>(
    `SELECT l.oid::int8::float8 AS oid, COALESCE(pg_catalog.pg_relation_size(l.oid), 0)::float8 AS heap,
       COALESCE(pg_catalog.pg_table_size(l.oid), 0)::float8 AS bytes
     FROM pg_catalog.unnest($1::oid[]) AS l(oid)`,
    [leaves.map(({ oid }) => oid)],
  )
  const byOid = new Map(rows.map((row) => [row.oid, row]))
  return leaves.map((leaf) => {
    const { heap = 0, bytes = 0 } = byOid.get(leaf.oid) ?? {}
    return { leaf, blocks: Math.ceil(heap / blockBytes), bytes }
  })
}

/** How chunks name a relation with blocks. ONLY: the children of an inheritance parent are leaves of their own. */
export function blocksRelation(leaf: Pick<SourceLeaf, 'schema' | 'name'>): string {
  return `ONLY ${quoteRelation(leaf)}`
}

function splitLeaf(
  { leaf, blocks, bytes }: LeafSize,
  targetBytes: number,
  filter: string | undefined,
  except: readonly BlockRange[],
): readonly Chunk[] {
  if (leaf.kind === 'foreign') return [wholeChunk(leaf, filter)]
  const relation = blocksRelation(leaf)
  const taken = except.filter((range) => range.relation === relation)
  const blocksPerChunk = (blocks * targetBytes) / Math.max(1, bytes)
  return freeRanges(relation, taken)
    .flatMap((range) => splitRange(range, blocks, blocksPerChunk))
    .map((range) => ({
      kind: 'blocks' as const,
      index: 0,
      ...range,
      ...(filter === undefined ? {} : { filter }),
    }))
}

/** What lies between the ranges that are taken, and behind the last. */
function freeRanges(relation: string, taken: readonly BlockRange[]): readonly BlockRange[] {
  const free: BlockRange[] = []
  let firstBlock: number | undefined = 0
  for (const range of taken.toSorted((left, right) => left.firstBlock - right.firstBlock)) {
    if (firstBlock === undefined) break
    if (range.firstBlock > firstBlock) free.push({ relation, firstBlock, lastBlock: range.firstBlock - 1 })
    firstBlock = range.lastBlock === undefined ? undefined : Math.max(firstBlock, range.lastBlock + 1)
  }
  return firstBlock === undefined ? free : [...free, { relation, firstBlock, lastBlock: undefined }]
}

/** The last range of a leaf is open, so that rows of the snapshot in blocks added since are read too. */
function splitRange(
  { relation, firstBlock, lastBlock }: BlockRange,
  blocks: number,
  blocksPerChunk: number,
): readonly BlockRange[] {
  const end = lastBlock === undefined ? Math.max(blocks, firstBlock + 1) : lastBlock + 1
  const length = end - firstBlock
  const count = Math.max(1, Math.min(length, Math.round(length / blocksPerChunk)))
  const startOf = (index: number): number => firstBlock + Math.floor((length * index) / count)
  return Array.from({ length: count }, (_, index) => ({
    relation,
    firstBlock: startOf(index),
    lastBlock: index === count - 1 ? lastBlock : startOf(index + 1) - 1,
  }))
}

/** The query of one chunk. Column names enter quoted, as the plan made them. */
export function chunkQuery(columns: readonly ColumnPlan[], chunk: Chunk): string {
  const select = `SELECT ${columns.map(({ select }) => select).join(', ')} FROM ${chunk.relation}`
  const conditions = [
    ...(chunk.kind === 'blocks' ? blockBounds(chunk) : []),
    ...(chunk.filter === undefined ? [] : [`(${chunk.filter})`]),
  ]
  return conditions.length === 0 ? select : `${select} WHERE ${conditions.join(' AND ')}`
}

/** The conditions that keep a query to a range of blocks, which PostgreSQL 14 and later read alone. */
export function blockBounds({ firstBlock, lastBlock }: BlockRange): readonly string[] {
  return [
    ...(firstBlock === 0 ? [] : [`ctid >= '(${firstBlock},0)'::tid`]),
    ...(lastBlock === undefined ? [] : [`ctid < '(${lastBlock + 1},0)'::tid`]),
  ]
}
