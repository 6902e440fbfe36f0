import { encodings, pageTypes } from './file-format.ts'
import { ThriftWriter } from './thrift-writer.ts'

export function dataPageHeader(
  uncompressedBytes: number,
  compressedBytes: number,
  levelCount: number,
  isDictionaryEncoded: boolean,
): Uint8Array {
  return pageHeader(pageTypes.data, uncompressedBytes, compressedBytes, (writer) =>
    writer.struct(5, () => {
      writer.i32(1, levelCount)
      writer.i32(2, isDictionaryEncoded ? encodings.rleDictionary : encodings.plain)
      writer.i32(3, encodings.rle)
      writer.i32(4, encodings.rle)
    }),
  )
}

export function dictionaryPageHeader(
  uncompressedBytes: number,
  compressedBytes: number,
  entryCount: number,
): Uint8Array {
  return pageHeader(pageTypes.dictionary, uncompressedBytes, compressedBytes, (writer) =>
    writer.struct(7, () => {
      writer.i32(1, entryCount)
      writer.i32(2, encodings.plain)
    }),
  )
}

function pageHeader(
  type: number,
  uncompressedBytes: number,
  compressedBytes: number,
  writeKind: (writer: ThriftWriter) => void,
): Uint8Array {
  const writer = new ThriftWriter()
  writer.structElement(() => {
    writer.i32(1, type)
    writer.i32(2, uncompressedBytes)
    writer.i32(3, compressedBytes)
    writeKind(writer)
  })
  return writer.toBytes()
}
