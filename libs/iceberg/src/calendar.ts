import { FloeError } from './error.ts'

/** Days, micros and nanos since 1970-01-01 in the proleptic Gregorian calendar, and their ISO texts. Floors before 1970. */

export const microsPerDay = 86_400_000_000n
export const microsPerHour = 3_600_000_000n
export const nanosPerMicro = 1000n

export type CivilDate = { readonly year: number; readonly month: number; readonly day: number }

export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

const daysPerEra = 146_097
/** Days from 0000-03-01, where a 400-year era starts, to 1970-01-01. */
const epochShift = 719_468

/** `Date` ends near year 275760, days of 32 bits do not: so the arithmetic is done here, on eras of 400 years. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + epochShift
  const era = Math.floor(shifted / daysPerEra)
  const dayOfEra = shifted - era * daysPerEra
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}

export function daysFromCivil({ year, month, day }: CivilDate): number {
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysPerEra + dayOfEra - epochShift
}

/** `2017-11-16`; years beyond four digits carry a sign, as ISO 8601 asks. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days)
  return `${formatYear(year)}-${pad(month, 2)}-${pad(day, 2)}`
}

export function formatYear(year: number): string {
  if (year > 9999) return `+${year}`
  return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4)
}

export function pad(value: number | bigint, width: number): string {
  return String(value).padStart(width, '0')
}

const dateForm = /^([+-]?\d{4,9})-(\d{2})-(\d{2})$/

export function parseDate(text: string): number {
  const match = dateForm.exec(text)
  if (!match) throw notAFormOf('a date', 'YYYY-MM-DD')
  const civil = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) }
  const days = daysFromCivil(civil)
  const back = civilFromDays(days)
  if (back.month !== civil.month || back.day !== civil.day) throw notAFormOf('a date', 'YYYY-MM-DD')
  return days
}

/** Digits of the fraction of a second: 6 for micros, 9 for nanos. */
export type FractionDigits = 6 | 9

/** `22:31:08.123456`, in units of `digits` since midnight. */
export function formatTime(value: bigint, digits: FractionDigits): string {
  const unitsPerSecond = digits === 6 ? 1_000_000n : 1_000_000_000n
  const seconds = value / unitsPerSecond
  const clock = `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}`
  return `${clock}.${pad(value % unitsPerSecond, digits)}`
}

const timeForm = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/

export function parseTime(text: string, digits: FractionDigits): bigint {
  const match = timeForm.exec(text)
  const [hour, minute, second] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3] ?? 0)]
  const fraction = (match?.[4] ?? '').padEnd(digits, '0')
  if (!match || hour > 23 || minute > 59 || second > 59 || /[1-9]/.test(fraction.slice(digits))) {
    throw notAFormOf('a time', `HH:MM:SS with at most ${digits} digits of a second`)
  }
  const unitsPerSecond = digits === 6 ? 1_000_000n : 1_000_000_000n
  return BigInt(hour * 3600 + minute * 60 + second) * unitsPerSecond + BigInt(fraction.slice(0, digits))
}

/** `2017-11-16T22:31:08.123456`, without a zone. */
export function formatTimestamp(value: bigint, digits: FractionDigits): string {
  const unitsPerDay = digits === 6 ? microsPerDay : microsPerDay * nanosPerMicro
  const days = floorDivide(value, unitsPerDay)
  return `${formatDate(Number(days))}T${formatTime(value - days * unitsPerDay, digits)}`
}

const timestampForm = /^([^T ]+)(?:[T ]([\d:.]+)(Z|[+-]\d{2}:?\d{2})?)?$/i

/**
 * Timestamp from ISO text; a bare date is its midnight.
 * @param zoned  true wants an offset and converts to UTC, false refuses one
 */
export function parseTimestamp(text: string, digits: FractionDigits, zoned: boolean): bigint {
  const match = timestampForm.exec(text)
  const offset = match?.[3]
  if (!match || (offset !== undefined) !== zoned) {
    throw notAFormOf(
      'a timestamp',
      zoned ? 'YYYY-MM-DDTHH:MM:SS+00:00' : 'YYYY-MM-DDTHH:MM:SS without offset',
    )
  }
  const unitsPerDay = digits === 6 ? microsPerDay : microsPerDay * nanosPerMicro
  const midnight = BigInt(parseDate(match[1] ?? '')) * unitsPerDay
  const time = match[2] === undefined ? 0n : parseTime(match[2], digits)
  return midnight + time - (offsetMinutes(offset) * unitsPerDay) / 1440n
}

function offsetMinutes(offset: string | undefined): bigint {
  if (offset === undefined || offset.toUpperCase() === 'Z') return 0n
  const minutes = BigInt(offset.slice(1, 3)) * 60n + BigInt(offset.slice(-2))
  return offset.startsWith('-') ? -minutes : minutes
}

function notAFormOf(what: string, form: string): FloeError {
  return new FloeError('invalid-input', `text is not ${what}`, { hint: `write ${form}` })
}
