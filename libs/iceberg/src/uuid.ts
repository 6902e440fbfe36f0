import { FloeError } from './error.ts'
import { bytesToHex, hexToBytes } from './hex.ts'

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Lower-case form with dashes. Throws `invalid-input` for what is no UUID. */
export function normalizeUuid(text: string): string {
  const lower = text.toLowerCase()
  if (uuidForm.test(lower)) return lower
  throw new FloeError('invalid-input', 'text is not a UUID', { hint: 'write 8-4-4-4-12 hexadecimal digits' })
}

/** 16 bytes, big-endian: the one binary form of a UUID in Iceberg. */
export function uuidToBytes(uuid: string): Uint8Array {
  return hexToBytes(uuid.replaceAll('-', ''))
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = bytesToHex(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
