import { FloeError } from '@floe/iceberg/values'

const microsPerDay = 86_400_000_000n
/** Days from 1970-01-01 to 2000-01-01, where PostgreSQL begins to count. */
const epochDays = 10_957

const datePattern = /^(\d{4,})-(\d\d)-(\d\d)/
const timePattern = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?/

/** PostgreSQL's day number of ISO text; `infinity` and `-infinity` as its own two numbers. */
export function parseDateText(text: string): number {
  if (text === 'infinity') return 0x7fffffff
  if (text === '-infinity') return -0x80000000
  const match = datePattern.exec(text)
  if (match === null) throw malformed('date')
  const year = Number(match[1])
  return daysFromCivil(text.endsWith(' BC') ? 1 - year : year, Number(match[2]), Number(match[3])) - epochDays
}

/** Microseconds of the day. */
export function parseTimeText(text: string): bigint {
  const match = timePattern.exec(text)
  if (match === null) throw malformed('time')
  const [, hours, minutes, seconds, fraction = ''] = match
  const micros = Number(fraction.padEnd(6, '0'))
  return BigInt((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000_000n + BigInt(micros)
}

/** PostgreSQL's microsecond number of `timestamp` or, in a session in UTC, `timestamptz`. */
export function parseTimestampText(text: string): bigint {
  if (text === 'infinity') return 0x7fffffffffffffffn
  if (text === '-infinity') return -0x8000000000000000n
  const space = text.indexOf(' ')
  const date = text.slice(0, space) + (text.endsWith(' BC') ? ' BC' : '')
  return BigInt(parseDateText(date)) * microsPerDay + parseTimeText(text.slice(space + 1))
}

/** Days since 1970-01-01 of the proleptic Gregorian calendar; year 0 is 1 BC. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function malformed(type: string): FloeError {
  return new FloeError('corrupt-data', `the server sent a ${type} that is not in ISO form`, {
    hint: 'a pooler may have reset DateStyle: connect to PostgreSQL directly',
  })
}
