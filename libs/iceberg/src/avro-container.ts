import { recordType, listType } from './avro-combined.ts'
import { findAvroCodec, type AvroCodecs } from './avro-codec.ts'
import { AvroSink, asBuffer, decodeAt } from './avro-record-codec.ts'
import { bytesType, countType, fixedType, textType } from './avro-scalar.ts'
import { parseAvroSchema, type AvroRecord } from './avro-schema.ts'
import type { TapType } from './avro-tap.ts'
import { FloeError } from './error.ts'
import { parseJson } from './json.ts'

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const syncBytes = 16
const syncType = fixedType(syncBytes)

/** Avro's map of the header: stored as its keys and values in turn, like a list of pairs. */
const metadataType: TapType<readonly { readonly key: string; readonly value: string }[]> = listType(
  recordType([
    ['key', textType],
    ['value', textType],
  ]),
)

type AvroBlock = { readonly bytes: Buffer }

export type AvroFile = {
  readonly metadata: Readonly<Record<string, string>>
  /** Parses the schema of the header. */
  readonly readSchema: () => AvroRecord
  /** The decompressed blocks. Decompresses when asked for. */
  readonly blocks: () => Iterable<AvroBlock>
}

/**
 * Opens an Avro object container file. Own code, as avsc drops the attributes of Iceberg from the schema and hands
 * blocks out in a stream only.
 * @throws FloeError corrupt-data, or unsupported for a codec that is neither built in nor handed in
 */
export function openAvroFile(bytes: Uint8Array, codecs?: AvroCodecs): AvroFile {
  if (!magic.every((byte, at) => bytes[at] === byte)) throw corrupt('it does not start as one')
  const buffer = asBuffer(bytes)
  const { value: members, offset } = decodeAt(metadataType, buffer, magic.length)
  const metadata = Object.fromEntries(members.map(({ key, value }) => [key, value]))
  const sync = decodeAt(syncType, buffer, offset)
  return {
    metadata,
    readSchema: () => readSchema(metadata['avro.schema']),
    blocks: () => readBlocks(buffer, sync.offset, sync.value, metadata['avro.codec'] ?? 'null', codecs),
  }
}

function readSchema(text: string | undefined): AvroRecord {
  if (text === undefined) throw corrupt('it has no schema')
  try {
    return parseAvroSchema(parseJson(text))
  } catch (error) {
    throw corrupt(`its schema cannot be read`, error)
  }
}

function* readBlocks(
  file: Buffer,
  start: number,
  sync: Uint8Array,
  codecName: string,
  codecs: AvroCodecs | undefined,
): Iterable<AvroBlock> {
  const codec = findAvroCodec(codecName, codecs)
  for (let at = start; at < file.length;) {
    const count = decodeAt(countType, file, at)
    const length = decodeAt(countType, file, count.offset)
    const end = length.offset + length.value
    if (length.value < 0 || end > file.length) throw corrupt('a block is cut off')
    const marker = decodeAt(syncType, file, end)
    if (!marker.value.every((byte, index) => byte === sync[index]))
      throw corrupt('a block does not end with its marker')
    at = marker.offset
    if (count.value > 0)
      yield { bytes: asBuffer(decompress(codec.decompress, file.subarray(length.offset, end))) }
  }
}

function decompress(inflate: (bytes: Uint8Array) => Uint8Array, block: Uint8Array): Uint8Array {
  try {
    return inflate(block)
  } catch (error) {
    throw corrupt('a block cannot be decompressed', error)
  }
}

function corrupt(what: string, cause?: unknown): FloeError {
  return new FloeError('corrupt-data', `not a whole Avro file: ${what}`, {
    hint: 'the file is damaged or cut off',
    ...(cause === undefined ? {} : { cause }),
  })
}

export type AvroWriteOptions = {
  /** Avro's name of the codec; default `deflate`, which every reader knows. */
  readonly codec?: string
  readonly codecs?: AvroCodecs
  /** Bytes of a block before compression; default 256 KiB. */
  readonly blockBytes?: number
}

const blockBytesDefault = 256 * 1024

/**
 * Bytes of an Avro object container file.
 * @param metadata  header members, `avro.schema` among them: written as they are, so that Iceberg's attributes stay
 * @param write  appends item `at` to the sink
 */
export function writeAvroFile(
  metadata: Readonly<Record<string, string>>,
  count: number,
  write: (sink: AvroSink, at: number) => void,
  options: AvroWriteOptions = {},
): Uint8Array {
  const codecName = options.codec ?? 'deflate'
  const codec = findAvroCodec(codecName, options.codecs)
  const blockBytes = options.blockBytes ?? blockBytesDefault
  const file = new AvroSink()
  const sync = writeHeader(file, { ...metadata, 'avro.codec': codecName })
  const block = new AvroSink()
  let items = 0
  for (let at = 0; at < count; at++) {
    write(block, at)
    items++
    if (block.length < blockBytes && at < count - 1) continue
    file.write(countType, items)
    file.write(bytesType, codec.compress(block.view()))
    file.writeFixed(sync)
    block.clear()
    items = 0
  }
  return Uint8Array.prototype.slice.call(file.view())
}

function writeHeader(file: AvroSink, metadata: Readonly<Record<string, string>>): Uint8Array {
  file.writeFixed(magic)
  file.write(
    metadataType,
    Object.entries(metadata).map(([key, value]) => ({ key, value })),
  )
  const sync = syncMarker(file.view())
  file.writeFixed(sync)
  return sync
}

/** A marker made from the header instead of chance, so that equal input gives equal files. FNV-1a, four times. */
function syncMarker(header: Uint8Array): Uint8Array {
  const marker = new DataView(new ArrayBuffer(syncBytes))
  for (let word = 0; word < 4; word++) {
    let hash = 0x811c9dc5 ^ word
    for (const byte of header) hash = Math.imul(hash ^ byte, 0x01000193)
    marker.setUint32(word * 4, hash)
  }
  return new Uint8Array(marker.buffer)
}
