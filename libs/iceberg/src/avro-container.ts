import { findAvroCodec, type AvroCodecs } from './avro-codec.ts'
import { AvroCursor } from './avro-cursor.ts'
import { parseAvroSchema, type AvroRecord } from './avro-schema.ts'
import { AvroSink } from './avro-sink.ts'
import { FloeError } from './error.ts'
import { parseJson } from './json.ts'

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const syncBytes = 16

export type AvroFile = {
  readonly metadata: Readonly<Record<string, string>>
  readonly schema: AvroRecord
  /** One cursor over each decompressed block. Decompresses when asked for. */
  readonly blocks: () => Iterable<AvroCursor>
}

/**
 * Opens an Avro object container file.
 * @throws FloeError corrupt-data, or unsupported for a codec that is neither built in nor handed in
 */
export function openAvroFile(bytes: Uint8Array, codecs?: AvroCodecs): AvroFile {
  if (!magic.every((byte, at) => bytes[at] === byte)) throw corrupt('it does not start as one')
  const cursor = new AvroCursor(bytes)
  cursor.skip(magic.length)
  const metadata = readMetadata(cursor)
  const sync = cursor.readFixed(syncBytes)
  const start = cursor.at
  return {
    metadata,
    schema: readSchema(metadata['avro.schema']),
    blocks: () => readBlocks(bytes, start, sync, metadata['avro.codec'] ?? 'null', codecs),
  }
}

function readMetadata(cursor: AvroCursor): Readonly<Record<string, string>> {
  const entries: [string, string][] = []
  for (let count = readBlockCount(cursor); count > 0; count = readBlockCount(cursor)) {
    for (let at = 0; at < count; at++) entries.push([cursor.readString(), cursor.readString()])
  }
  return Object.fromEntries(entries)
}

/** Items in the next block of an array or map, 0 at its end. A negative count comes with the size in bytes. */
export function readBlockCount(cursor: AvroCursor): number {
  const count = cursor.readNumber()
  if (count >= 0) return count
  cursor.skipVariable()
  return -count
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
  bytes: Uint8Array,
  start: number,
  sync: Uint8Array,
  codecName: string,
  codecs: AvroCodecs | undefined,
): Iterable<AvroCursor> {
  const codec = findAvroCodec(codecName, codecs)
  const cursor = new AvroCursor(bytes)
  cursor.at = start
  while (!cursor.done) {
    const count = cursor.readNumber()
    const length = cursor.readNumber()
    const from = cursor.at
    cursor.skip(length)
    const marker = cursor.readFixed(syncBytes)
    if (!marker.every((byte, at) => byte === sync[at])) throw corrupt('a block does not end with its marker')
    if (count > 0) yield new AvroCursor(decompress(codec.decompress, bytes.subarray(from, from + length)))
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
    file.writeLong(items)
    file.writeBytes(codec.compress(block.view()))
    file.writeFixed(sync)
    block.clear()
    items = 0
  }
  return file.view().slice()
}

function writeHeader(file: AvroSink, metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(metadata)
  file.writeFixed(magic)
  file.writeLong(entries.length)
  for (const [key, value] of entries) {
    file.writeString(key)
    file.writeString(value)
  }
  file.writeLong(0)
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
