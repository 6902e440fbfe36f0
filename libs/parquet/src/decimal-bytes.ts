/** Fewest bytes of two's complement that hold every unscaled value of `precision` digits (spec "Primitive Types"). */
export function decimalBytes(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8)
}
