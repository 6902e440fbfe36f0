import { FloeError } from '@floe/iceberg/values'

/** Keys of one DeleteObjects. */
const keysMax = 1000

const start = /^\s*(?:<\?xml[^<>]*\?>)?\s*<Delete(?: xmlns="[^"<>]*")?>/
const object = /\s*<Object>\s*<Key>([^<]*)<\/Key>\s*(?:<VersionId>[^<]*<\/VersionId>\s*)?<\/Object>/y
const quiet = /\s*<Quiet>(?:true|false)<\/Quiet>/y
const end = /\s*<\/Delete>\s*$/y
const reference = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * The keys that a DeleteObjects names. Only the form that S3 documents is read, to the last character: a parser that
 * passed over something could miss a key that S3 sees.
 * @throws FloeError permission-denied for any other text
 */
export function parseDeleteObjects(body: string): readonly string[] {
  let at = start.exec(body)?.[0].length
  const keys: string[] = []
  const read = (form: RegExp): RegExpExecArray | undefined => {
    if (at === undefined) return undefined
    form.lastIndex = at
    const match = form.exec(body)
    if (match === null) return undefined
    at = form.lastIndex
    return match
  }
  for (;;) {
    const match = read(object)
    if (match !== undefined) keys.push(decodeText(match[1] ?? ''))
    else if (read(quiet) === undefined) break
  }
  if (read(end) !== undefined && keys.length > 0 && keys.length <= keysMax) return keys
  throw refused()
}

function decodeText(text: string): string {
  if (text.replaceAll(reference, '').includes('&')) throw refused()
  return text.replaceAll(reference, (_, name?: string, decimal?: string, hex?: string) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? ''
    const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    if (point === 0 || point > 0x10ffff) throw refused()
    return String.fromCodePoint(point)
  })
}

function refused(): FloeError {
  return new FloeError('permission-denied', 'the body is not a DeleteObjects request of 1 to 1000 keys')
}
