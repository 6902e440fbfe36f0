import { FloeError } from '@floe/iceberg/values'

/** Bytes `offset` up to `offset + length` of an object; both are whole numbers >= 0. */
export type ByteRange = { readonly offset: number; readonly length: number }

export function checkRange(range: ByteRange | undefined, location: string): void {
  if (range === undefined) return
  const { offset, length } = range
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0) return
  throw new FloeError('invalid-input', `range ${offset}+${length} of ${location} is not a byte range`)
}

/** A reader asks for ranges that metadata promised, so an object that ends earlier is damaged. */
export function shortObject(location: string, range: ByteRange, sizeBytes?: number): FloeError {
  const size = sizeBytes === undefined ? '' : ` of ${sizeBytes} bytes`
  return new FloeError(
    'corrupt-data',
    `${location}${size} ends before range ${range.offset}+${range.length}`,
    {
      hint: 'the object is shorter than its metadata says: restore it, or drop it from the table',
    },
  )
}

export function missingObject(location: string, cause?: unknown): FloeError {
  return new FloeError('not-found', `no object at ${location}`, { cause })
}
