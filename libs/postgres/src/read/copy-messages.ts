import { FloeError } from '@floe/iceberg/values'
import type { SourceFailure } from '../source/source-error.ts'

/** Backend messages of the simple query protocol that a COPY can bring (protocol chapter "Message Formats"). */
export const messageType = {
  copyData: 0x64,
  copyDone: 0x63,
  copyOutResponse: 0x48,
  commandComplete: 0x43,
  readyForQuery: 0x5a,
  errorResponse: 0x45,
  noticeResponse: 0x4e,
  parameterStatus: 0x53,
  notificationResponse: 0x41,
} as const

/** Type byte and length. */
export const messageHeaderBytes = 5

const ignored: ReadonlySet<number> = new Set([
  messageType.copyDone,
  messageType.copyOutResponse,
  messageType.commandComplete,
  messageType.noticeResponse,
  messageType.parameterStatus,
  messageType.notificationResponse,
])

export function isIgnoredMessage(type: number): boolean {
  return ignored.has(type)
}

/** Length of the whole message that begins at `at`, or `undefined` while its header is not there. */
export function messageLength(view: DataView, at: number, end: number): number | undefined {
  if (end - at < messageHeaderBytes) return undefined
  const length = 1 + view.getInt32(at + 1)
  if (length < messageHeaderBytes) throw unexpectedMessage(view.getUint8(at))
  return length
}

export function unexpectedMessage(type: number): FloeError {
  return new FloeError(
    'corrupt-data',
    `unexpected message 0x${type.toString(16)} from the server during COPY`,
    {
      hint: 'connect to PostgreSQL directly; a proxy that rewrites messages cannot carry COPY BINARY',
    },
  )
}

const signature = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00]
const copyHeaderBytes = signature.length + 8

/**
 * COPY BINARY's file header comes in front of the first row, in the same message. Writes a message header over the end
 * of it, so that the row is a message like all others.
 * @returns where that message begins
 */
export function skipCopyHeader(bytes: Uint8Array, view: DataView, at: number, length: number): number {
  const header = at + messageHeaderBytes
  const valid =
    length >= messageHeaderBytes + copyHeaderBytes &&
    signature.every((byte, index) => bytes[header + index] === byte)
  if (!valid || view.getInt32(header + signature.length) !== 0) throw unexpectedMessage(messageType.copyData)
  const row = header + copyHeaderBytes + view.getInt32(header + signature.length + 4)
  const start = row - messageHeaderBytes
  bytes[start] = messageType.copyData
  view.setInt32(start + 1, at + length - row + 4)
  return start
}

/** The field count of -1 that ends the data. */
export function isCopyTrailer(view: DataView, at: number, length: number): boolean {
  return length === messageHeaderBytes + 2 && view.getInt16(at + messageHeaderBytes) === -1
}

/** The fields of an ErrorResponse: a letter and a zero-terminated string each. */
export function parseErrorResponse(bytes: Uint8Array, at: number, length: number): SourceFailure {
  const fields = new Map<string, string>()
  const text = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + at + messageHeaderBytes,
    length - messageHeaderBytes,
  )
  for (const field of text.toString('utf8').split('\0')) {
    if (field !== '') fields.set(field.charAt(0), field.slice(1))
  }
  return { message: fields.get('M') ?? 'unknown error', code: fields.get('C'), hint: fields.get('H') }
}

/** A simple Query message. */
export function encodeQuery(sql: string): Uint8Array {
  const text = Buffer.from(sql, 'utf8')
  const message = Buffer.alloc(messageHeaderBytes + text.length + 1)
  message[0] = 0x51
  message.writeInt32BE(text.length + 5, 1)
  text.copy(message, messageHeaderBytes)
  return message
}
