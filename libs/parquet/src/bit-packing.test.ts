import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { packBits } from './bit-packing.ts'

const widths = Array.from({ length: 31 }, (_, at) => at + 1)

it.each(widths)(
  'packs ids of %i bits, the least significant bit first, and writes no byte more',
  (bitWidth) => {
    const id = fc.nat({ max: 2 ** bitWidth - 1 })
    fc.assert(
      fc.property(fc.array(id, { maxLength: 70 }), fc.nat({ max: 5 }), (values, start) => {
        const ids = Int32Array.from([...Array.from({ length: start }, () => -1), ...values, -1])
        const bytes = new Uint8Array(Math.ceil((values.length * bitWidth) / 8) + 3 + 4).fill(0xaa)
        packBits(ids, start, start + values.length, bitWidth, new DataView(bytes.buffer), 3)
        expect(unpacked(bytes.subarray(3), values.length, bitWidth)).toEqual(values)
        expect([...bytes.subarray(0, 3), ...bytes.subarray(-4)]).toEqual(
          Array.from({ length: 7 }, () => 0xaa),
        )
      }),
    )
  },
)

function unpacked(bytes: Uint8Array, count: number, bitWidth: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    let value = 0
    for (let bit = 0; bit < bitWidth; bit++) {
      const at = index * bitWidth + bit
      value += (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) * 2 ** bit
    }
    return value
  })
}
