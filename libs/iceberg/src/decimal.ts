import { FloeError } from './error.ts'

/** `-0.05` for unscaled -5 and scale 2: always plain digits. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

export type ParsedDecimal = { readonly unscaled: bigint; readonly scale: number }

/** More digits than any decimal type, so that a hostile exponent cannot ask for gigabytes. */
const exponentMax = 400

const decimalForm = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i

/** Plain or scientific text as unscaled value and the scale it was written with. */
export function parseDecimal(text: string): ParsedDecimal {
  const match = decimalForm.exec(text)
  const [whole, fraction, exponent] = [match?.[2] ?? '', match?.[3] ?? '', Number(match?.[4] ?? 0)]
  if (!match || whole + fraction === '' || Math.abs(exponent) > exponentMax) {
    throw new FloeError('invalid-input', 'text is not a decimal number', {
      hint: 'write digits such as 14.20',
    })
  }
  const digits = BigInt(whole + fraction)
  const unscaled = match[1] === '-' ? -digits : digits
  const scale = fraction.length - exponent
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 }
}

/** Unscaled value at another scale, or `undefined` when digits would be lost. */
export function rescaleDecimal({ unscaled, scale }: ParsedDecimal, target: number): bigint | undefined {
  if (target >= scale) return unscaled * 10n ** BigInt(target - scale)
  const divisor = 10n ** BigInt(scale - target)
  return unscaled % divisor === 0n ? unscaled / divisor : undefined
}
