import { microsPerDay, nanosPerMicro } from './calendar.ts'
import { FloeError } from './error.ts'
import { decodeTwosComplement, encodeTwosComplement } from './twos-complement.ts'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'
import { uuidFromBytes, uuidToBytes } from './uuid.ts'

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Binary form of a value in bounds (spec Appendix D, "Binary single-value serialization"). */
export function encodeSingleValue(type: PrimitiveType, value: PrimitiveValue): Uint8Array {
  switch (type.kind) {
    case 'boolean':
      return Uint8Array.of(value === true ? 1 : 0)
    case 'int':
    case 'date':
      return fill(4, (view) => view.setInt32(0, value as number, true))
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return fill(8, (view) => view.setBigInt64(0, value as bigint, true))
    case 'float':
      return fill(4, (view) => view.setFloat32(0, value as number, true))
    case 'double':
      return fill(8, (view) => view.setFloat64(0, value as number, true))
    case 'decimal':
      return encodeTwosComplement(value as bigint)
    case 'string':
      return utf8Encoder.encode(value as string)
    case 'uuid':
      return uuidToBytes(value as string)
    case 'fixed':
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return value as Uint8Array
    case 'unknown':
      throw new FloeError(
        'invalid-input',
        'a column of type unknown holds only nulls and has no single value',
      )
  }
}

function fill(width: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(width)
  write(new DataView(bytes.buffer))
  return bytes
}

/**
 * Inverse of `encodeSingleValue`. The length tells what the column was before promotion: 4 bytes in a long are an int,
 * in a double a float, in a timestamp a date (spec "Schema Evolution").
 * @throws FloeError corrupt-data when the length fits no form of the type, or text is no UTF-8
 */
export function decodeSingleValue(type: PrimitiveType, bytes: Uint8Array): PrimitiveValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (type.kind) {
    case 'boolean':
      return checkLength(type, bytes, 1)[0] !== 0
    case 'int':
    case 'date':
      checkLength(type, bytes, 4)
      return view.getInt32(0, true)
    case 'long':
      if (bytes.length === 4) return BigInt(view.getInt32(0, true))
      return decodeLong(type, bytes, view)
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      if (bytes.length === 4) return BigInt(view.getInt32(0, true)) * unitsPerDay(type)
      return decodeLong(type, bytes, view)
    case 'time':
      return decodeLong(type, bytes, view)
    case 'float':
      checkLength(type, bytes, 4)
      return view.getFloat32(0, true)
    case 'double':
      if (bytes.length === 4) return view.getFloat32(0, true)
      checkLength(type, bytes, 8)
      return view.getFloat64(0, true)
    case 'decimal':
      if (bytes.length === 0) throw wrongLength(type, bytes)
      return decodeTwosComplement(bytes)
    case 'string':
      return decodeText(bytes)
    case 'uuid':
      return uuidFromBytes(checkLength(type, bytes, 16))
    case 'fixed':
    case 'binary':
    case 'variant':
    case 'geometry':
    case 'geography':
      return bytes
    case 'unknown':
      throw wrongLength(type, bytes)
  }
}

function unitsPerDay(type: PrimitiveType): bigint {
  const nanos = type.kind === 'timestamp_ns' || type.kind === 'timestamptz_ns'
  return nanos ? microsPerDay * nanosPerMicro : microsPerDay
}

function decodeLong(type: PrimitiveType, bytes: Uint8Array, view: DataView): bigint {
  checkLength(type, bytes, 8)
  return view.getBigInt64(0, true)
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes)
  } catch (error) {
    throw new FloeError('corrupt-data', 'single value of type string is not UTF-8', { cause: error })
  }
}

function checkLength(type: PrimitiveType, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw wrongLength(type, bytes)
  return bytes
}

function wrongLength(type: PrimitiveType, bytes: Uint8Array): FloeError {
  return new FloeError(
    'corrupt-data',
    `single value of type ${typeToString(type)} cannot have ${bytes.length} bytes`,
  )
}
