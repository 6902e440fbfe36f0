import { codecs, encodings, magic, pageTypes, physicalTypes, repetitions } from './file-format.ts'
import type { FileSchema, Leaf, SchemaNode } from './file-schema.ts'
import { convertedTypeOf, writeLogicalType } from './logical-type.ts'
import { writeStatistics } from './statistics.ts'
import { thriftType, ThriftWriter } from './thrift-writer.ts'
import type { EncodedChunk } from './column-chunk.ts'

/** A chunk without its bytes, and where it begins in the file. */
export type PlacedChunk = Omit<EncodedChunk, 'bytes' | 'bloomFilter'> & {
  readonly offset: number
  readonly byteCount: number
  /** Where the Bloom filter begins, header included, and its bytes. */
  readonly bloomFilter?: { readonly offset: number; readonly byteCount: number }
}

export type PlacedRowGroup = {
  readonly rowCount: number
  /** In the order of the file schema's leaves. */
  readonly chunks: readonly PlacedChunk[]
}

export type FooterContent = {
  readonly schema: FileSchema
  readonly rowGroups: readonly PlacedRowGroup[]
  readonly rowCount: number
  readonly keyValueMetadata: Readonly<Record<string, string>>
}

const formatVersion = 2
const createdBy = 'floe version 0.1.0'

/** FileMetaData of parquet.thrift, its length and the closing magic. */
export function encodeFooter(content: FooterContent): Uint8Array {
  const writer = new ThriftWriter()
  writer.structElement(() => writeFileMetadata(writer, content))
  const metadata = writer.toBytes()
  const footer = new Uint8Array(metadata.length + 8)
  footer.set(metadata)
  new DataView(footer.buffer).setUint32(metadata.length, metadata.length, true)
  footer.set(magic, metadata.length + 4)
  return footer
}

function writeFileMetadata(writer: ThriftWriter, content: FooterContent): void {
  const { schema, rowGroups, rowCount } = content
  writer.i32(1, formatVersion)
  writer.list(2, thriftType.struct, schema.nodes.length)
  for (const node of schema.nodes) writer.structElement(() => writeNode(writer, node))
  writer.i64(3, rowCount)
  writer.list(4, thriftType.struct, rowGroups.length)
  rowGroups.forEach((rowGroup, ordinal) => writeRowGroup(writer, schema.leaves, rowGroup, ordinal))
  const pairs = Object.entries(content.keyValueMetadata)
  writer.list(5, thriftType.struct, pairs.length)
  for (const [key, value] of pairs) {
    writer.structElement(() => {
      writer.binary(1, key)
      writer.binary(2, value)
    })
  }
  writer.binary(6, createdBy)
  writer.list(7, thriftType.struct, schema.leaves.length)
  for (const _ of schema.leaves) writer.structElement(() => writer.struct(1, () => undefined))
}

function writeNode(writer: ThriftWriter, node: SchemaNode): void {
  if (node.physical !== undefined) writer.i32(1, physicalTypes[node.physical])
  if (node.width !== undefined) writer.i32(2, node.width)
  if (node.repetition !== undefined) writer.i32(3, repetitions[node.repetition])
  writer.binary(4, node.name)
  if (node.childCount !== undefined) writer.i32(5, node.childCount)
  const { logical } = node
  const converted = logical === undefined ? undefined : convertedTypeOf(logical)
  if (converted !== undefined) writer.i32(6, converted)
  if (logical?.kind === 'decimal') {
    writer.i32(7, logical.scale)
    writer.i32(8, logical.precision)
  }
  if (node.fieldId !== undefined) writer.i32(9, node.fieldId)
  if (logical !== undefined) writeLogicalType(writer, 10, logical)
}

function writeRowGroup(
  writer: ThriftWriter,
  leaves: readonly Leaf[],
  rowGroup: PlacedRowGroup,
  ordinal: number,
): void {
  const { chunks } = rowGroup
  writer.structElement(() => {
    writer.list(1, thriftType.struct, chunks.length)
    leaves.forEach((leaf, index) => {
      const chunk = chunks[index]
      if (chunk !== undefined) writeColumnChunk(writer, leaf, chunk)
    })
    writer.i64(
      2,
      sumOf(chunks, (chunk) => chunk.uncompressedBytes),
    )
    writer.i64(3, rowGroup.rowCount)
    writer.i64(5, chunks[0]?.offset ?? magic.length)
    writer.i64(
      6,
      sumOf(chunks, (chunk) => chunk.byteCount),
    )
    // The field has 16 bits: files of more row groups leave it out.
    if (ordinal < 32_768) writer.i16(7, ordinal)
  })
}

function writeColumnChunk(writer: ThriftWriter, leaf: Leaf, chunk: PlacedChunk): void {
  writer.structElement(() => {
    writer.i64(2, 0)
    writer.struct(3, () => writeColumnMetadata(writer, leaf, chunk))
  })
}

function writeColumnMetadata(writer: ThriftWriter, leaf: Leaf, chunk: PlacedChunk): void {
  const { dictionaryPageBytes } = chunk
  const isDictionary = dictionaryPageBytes !== undefined
  const used = isDictionary
    ? [encodings.plain, encodings.rle, encodings.rleDictionary]
    : [encodings.plain, encodings.rle]
  writer.i32(1, physicalTypes[leaf.physical])
  writer.list(2, thriftType.i32, used.length)
  for (const encoding of used) writer.i32Element(encoding)
  writer.list(3, thriftType.binary, leaf.path.length)
  for (const name of leaf.path) writer.binaryElement(name)
  writer.i32(4, codecs[chunk.codec])
  writer.i64(5, chunk.levelCount)
  writer.i64(6, chunk.uncompressedBytes)
  writer.i64(7, chunk.byteCount)
  writer.i64(9, chunk.offset + (dictionaryPageBytes ?? 0))
  if (isDictionary) writer.i64(11, chunk.offset)
  writeStatistics(writer, 12, leaf, chunk.nullCount, chunk.summary.range)
  writeEncodingStatistics(writer, chunk)
  if (chunk.bloomFilter === undefined) return
  writer.i64(14, chunk.bloomFilter.offset)
  writer.i32(15, chunk.bloomFilter.byteCount)
}

/** Tells readers that every page is dictionary-encoded, so that they may filter by the dictionary alone. */
function writeEncodingStatistics(writer: ThriftWriter, chunk: PlacedChunk): void {
  const isDictionary = chunk.dictionaryPageBytes !== undefined
  writer.list(13, thriftType.struct, isDictionary ? 2 : 1)
  if (isDictionary) writePageStatistics(writer, pageTypes.dictionary, encodings.plain, 1)
  const encoding = isDictionary ? encodings.rleDictionary : encodings.plain
  writePageStatistics(writer, pageTypes.data, encoding, chunk.dataPageCount)
}

function writePageStatistics(writer: ThriftWriter, pageType: number, encoding: number, count: number): void {
  writer.structElement(() => {
    writer.i32(1, pageType)
    writer.i32(2, encoding)
    writer.i32(3, count)
  })
}

function sumOf(chunks: readonly PlacedChunk[], value: (chunk: PlacedChunk) => number): number {
  return chunks.reduce((total, chunk) => total + value(chunk), 0)
}
