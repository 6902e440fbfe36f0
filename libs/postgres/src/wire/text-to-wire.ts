import { isScalarWire } from '../plan/wire-type.ts'
import type { ScalarWire, Wire } from '../plan/wire-type.ts'
import { parseDateText, parseTimestampText, parseTimeText } from './datetime-text.ts'
import type { WireWriter } from './wire-writer.ts'

/**
 * Writes one field as COPY BINARY would: a length, or -1 for null, and the value. Values with parts come as the bytes of
 * their send function already.
 */
export function writeField(writer: WireWriter, wire: Wire, text: string | null): void {
  if (text === null) {
    writer.int32(-1)
    return
  }
  writer.sized(() =>
    isScalarWire(wire) ? writeScalar(writer, wire, text) : writer.text(text.slice(2), 'hex'),
  )
}

function writeScalar(writer: WireWriter, scalar: ScalarWire, text: string): void {
  switch (scalar.kind) {
    case 'bool':
      return writer.byte(text === 't' ? 1 : 0)
    case 'int2':
      return writer.int16(Number(text))
    case 'int4':
    case 'oid':
      return writer.int32(Number(text))
    case 'int8':
      return writer.int64(BigInt(text))
    case 'float4':
      return writer.float32(Number(text))
    case 'float8':
      return writer.float64(Number(text))
    case 'date':
      return writer.int32(parseDateText(text))
    case 'time':
      return writer.int64(parseTimeText(text))
    case 'timestamp':
      return writer.int64(parseTimestampText(text))
    case 'uuid':
      return writer.text(text.replaceAll('-', ''), 'hex')
    case 'bytea':
      return writer.text(text.slice(2), 'hex')
    case 'text':
      return writer.text(text, 'utf8')
    case 'jsonb':
      writer.byte(1)
      return writer.text(text, 'utf8')
    case 'numeric':
      return writeNumeric(writer, text)
  }
}

const numericSpecials: Readonly<Record<string, number>> = {
  NaN: 0xc000,
  Infinity: 0xd000,
  '-Infinity': 0xf000,
}

/** `numeric_send`: groups of four digits around the point, without zero groups at either end. */
function writeNumeric(writer: WireWriter, text: string): void {
  const special = numericSpecials[text]
  if (special !== undefined) {
    writeNumericHeader(writer, 0, 0, special, 0)
    return
  }
  const negative = text.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const leftDigits = whole.padStart(Math.ceil(whole.length / 4) * 4, '0')
  const digits = leftDigits + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0')
  const groups = Array.from({ length: digits.length / 4 }, (_, index) =>
    Number(digits.slice(index * 4, index * 4 + 4)),
  )
  const first = groups.findIndex((group) => group !== 0)
  const significant =
    first === -1 ? [] : groups.slice(first, groups.findLastIndex((group) => group !== 0) + 1)
  const weight = first === -1 ? 0 : leftDigits.length / 4 - 1 - first
  writeNumericHeader(writer, significant.length, weight, negative ? 0x4000 : 0, fraction.length)
  for (const group of significant) writer.int16(group)
}

function writeNumericHeader(
  writer: WireWriter,
  groups: number,
  weight: number,
  sign: number,
  scale: number,
): void {
  writer.int16(groups)
  writer.int16(weight)
  writer.int16(sign)
  writer.int16(scale)
}
