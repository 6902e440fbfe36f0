import type { LeafColumn, LeafValues } from './column.ts'
import { encodeBloomFilter, type BloomFilterSettings } from './bloom-filter.ts'
import { compressPage } from './compression.ts'
import { chooseCodec } from './chunk-codec.ts'
import { buildDictionary } from './dictionary.ts'
import type { Codec } from './file-format.ts'
import type { Leaf } from './file-schema.ts'
import { gatherValues } from './gather.ts'
import { bitWidthOf, hybridBytesMax, writeHybrid, writeRun } from './level-encoding.ts'
import { dataPageHeader, dictionaryPageHeader } from './page-header.ts'
import { planPages, type PageSpan } from './page-plan.ts'
import { plainBytes, plainSlack, writePlain } from './plain-encoding.ts'
import type { Scratch } from './scratch.ts'
import { summarizeValues, type ValueSummary } from './value-range.ts'

export type ChunkSettings = {
  readonly codec: Codec
  readonly level: number | undefined
  readonly pageBytes: number
  readonly pageRowsMax: number
  readonly dictionaryBytesMax: number
  readonly bloomFilters: BloomFilterSettings | undefined
}

/** One column of one row group: its bytes, and what the footer says about them. */
export type EncodedChunk = {
  readonly bytes: Uint8Array
  readonly codec: Codec
  /** Length of the dictionary page with its header; `undefined` when the values are plain. */
  readonly dictionaryPageBytes: number | undefined
  readonly dataPageCount: number
  readonly uncompressedBytes: number
  readonly levelCount: number
  readonly nullCount: number
  readonly summary: ValueSummary
  /** Header and bits of the Bloom filter, which lies behind the chunks of the row group. */
  readonly bloomFilter: Uint8Array | undefined
}

type Page = { readonly header: (compressedBytes: number) => Uint8Array; readonly body: Uint8Array }

/** What the values of a chunk are written as. */
type Content = {
  readonly values: LeafValues
  readonly ids: Int32Array | undefined
  readonly entries: LeafValues | undefined
  readonly entryCount: number
  readonly summary: ValueSummary
}

export function encodeColumnChunk(
  leaf: Leaf,
  column: LeafColumn,
  settings: ChunkSettings,
  scratch: Scratch,
): EncodedChunk {
  const content = chooseContent(leaf, column, settings, scratch)
  const idBits = content.ids === undefined ? undefined : bitWidthOf(content.entryCount - 1)
  const limits = { ...settings, idBits, definitionLevelMax: leaf.definitionLevelMax }
  const spans = planPages({ ...column, values: content.values }, limits)
  const makePage = (span: PageSpan): Page => dataPage(leaf, column, content, span, idBits, scratch)
  const dictionary =
    content.entries === undefined ? undefined : dictionaryPage(content.entries, content.entryCount)
  const joined = joinPages(dictionary, spans, makePage, settings, scratch.storedColumns.has(leaf.name))
  if (joined.codec === 'uncompressed') scratch.storedColumns.add(leaf.name)
  else scratch.storedColumns.delete(leaf.name)
  return {
    ...joined,
    dataPageCount: spans.length,
    levelCount: column.levelCount,
    nullCount: column.levelCount - column.valueCount,
    summary: content.summary,
    bloomFilter: bloomFilterOf(leaf, column, content, settings),
  }
}

/** Of the dictionary's entries where there is one: they are the distinct values. */
function bloomFilterOf(
  leaf: Leaf,
  { valueCount }: LeafColumn,
  { values, entries, entryCount }: Content,
  { bloomFilters }: ChunkSettings,
): Uint8Array | undefined {
  if (bloomFilters === undefined || !Object.hasOwn(bloomFilters.falsePositiveShares, leaf.name))
    return undefined
  const share = bloomFilters.falsePositiveShares[leaf.name] ?? 0
  return entries === undefined
    ? encodeBloomFilter(values, valueCount, share, bloomFilters.bytesMax)
    : encodeBloomFilter(entries, entryCount, share, bloomFilters.bytesMax)
}

/** Numbers are summarized first, because their range decides the dictionary; bytes after, over the distinct ones. */
function chooseContent(leaf: Leaf, column: LeafColumn, settings: ChunkSettings, scratch: Scratch): Content {
  const { values, valueCount } = column
  const { layout } = values
  const isBytes = layout === 'bytes' || layout === 'fixed' || layout === 'dictionary'
  const early = isBytes ? undefined : summarizeValues(leaf, values, valueCount)
  const dictionary = buildDictionary(
    leaf,
    values,
    valueCount,
    early?.range,
    settings.dictionaryBytesMax,
    scratch,
  )
  if (dictionary === undefined) {
    const plain = layout === 'dictionary' ? gatherValues(values, values.ids, valueCount) : values
    const summary = early ?? summarizeValues(leaf, plain, valueCount)
    return { values: plain, ids: undefined, entries: undefined, entryCount: 0, summary }
  }
  const entries = gatherValues(values, dictionary.entries, dictionary.count)
  const summary = early ?? summarizeValues(leaf, entries, dictionary.count)
  return { values, ids: dictionary.ids, entries, entryCount: dictionary.count, summary }
}

function dictionaryPage(entries: LeafValues, count: number): Page {
  const room = new Uint8Array(plainBytes(entries, 0, count) + plainSlack)
  const body = room.subarray(0, writePlain(entries, 0, count, room, 0))
  return { body, header: (compressedBytes) => dictionaryPageHeader(body.length, compressedBytes, count) }
}

function dataPage(
  leaf: Leaf,
  column: LeafColumn,
  content: Content,
  span: PageSpan,
  idBits: number | undefined,
  scratch: Scratch,
): Page {
  const entryCount = span.entryEnd - span.entryStart
  const valueCount = span.valueEnd - span.valueStart
  const valueBytes =
    idBits === undefined
      ? plainBytes(content.values, span.valueStart, span.valueEnd)
      : 1 + hybridBytesMax(valueCount, idBits)
  const levelBytes = 2 * (4 + hybridBytesMax(entryCount, 8))
  const out = scratch.page(valueBytes + levelBytes + plainSlack)
  let at = writeLevels(column.repetitionLevels, leaf.repetitionLevelMax, span, out, 0, scratch)
  at = writeLevels(column.definitionLevels, leaf.definitionLevelMax, span, out, at, scratch)
  if (content.ids === undefined || idBits === undefined) {
    at = writePlain(content.values, span.valueStart, span.valueEnd, out, at)
  } else {
    out[at] = idBits
    at = writeHybrid(content.ids, span.valueStart, span.valueEnd, idBits, out, at + 1)
  }
  const body = out.subarray(0, at)
  const header = (compressedBytes: number): Uint8Array =>
    dataPageHeader(at, compressedBytes, entryCount, idBits !== undefined)
  return { body, header }
}

/** The levels of a v1 page: their bytes' length, then the hybrid. A column whose maximum is 0 has none. */
function writeLevels(
  levels: Uint8Array | undefined,
  max: number,
  span: PageSpan,
  out: Uint8Array,
  position: number,
  scratch: Scratch,
): number {
  if (max === 0) return position
  const bitWidth = bitWidthOf(max)
  const count = span.entryEnd - span.entryStart
  const end =
    levels === undefined
      ? writeRun(max, count, bitWidth, out, position + 4)
      : writeHybrid(widen(levels, span, scratch), 0, count, bitWidth, out, position + 4)
  new DataView(out.buffer, out.byteOffset).setInt32(position, end - position - 4, true)
  return end
}

function widen(levels: Uint8Array, span: PageSpan, scratch: Scratch): Int32Array {
  const wide = scratch.levels(span.entryEnd - span.entryStart)
  wide.set(levels.subarray(span.entryStart, span.entryEnd))
  return wide
}

type JoinedPages = Pick<EncodedChunk, 'bytes' | 'codec' | 'dictionaryPageBytes' | 'uncompressedBytes'>

/** Makes, compresses and joins the pages in file order. A page's body is only valid until the next one is made. */
function joinPages(
  dictionary: Page | undefined,
  spans: readonly PageSpan[],
  makePage: (span: PageSpan) => Page,
  settings: ChunkSettings,
  wasStored: boolean,
): JoinedPages {
  const parts: Uint8Array[] = []
  let uncompressedBytes = 0
  const add = (page: Page, body: Uint8Array): void => {
    const header = page.header(body.length)
    uncompressedBytes += header.length + page.body.length
    parts.push(header, body)
  }
  const [firstSpan, ...otherSpans] = spans
  const heads = [
    ...(dictionary === undefined ? [] : [dictionary]),
    ...(firstSpan === undefined ? [] : [makePage(firstSpan)]),
  ]
  const bodies = heads.map(({ body }) => body)
  const { codec, pages } = chooseCodec(bodies, settings, wasStored)
  heads.forEach((page, index) => add(page, pages[index] ?? page.body))
  const dictionaryPageBytes = dictionary === undefined ? undefined : byteLength(parts.slice(0, 2))
  let share = (parts.at(-1)?.length ?? 0) / Math.max(1, heads.at(-1)?.body.length ?? 0)
  for (const span of otherSpans) {
    const { body, header } = makePage(span)
    const bytes = codec === 'uncompressed' ? body.slice() : compressPage(body, codec, settings.level, share)
    share = bytes.length / Math.max(1, body.length)
    add({ body, header }, bytes)
  }
  return { bytes: join(parts), codec, dictionaryPageBytes, uncompressedBytes }
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, part) => total + part.length, 0)
}

/** One array of its own memory: node:zlib's outputs are slices of larger buffers, which would stay alive. */
function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(byteLength(parts))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
