import { FloeError } from '@floe/iceberg'

/** Collects `key=value` of an option or argument that may be given several times. */
export function collectKeyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
  throw new FloeError('invalid-input', `${text} is no property`, { hint: 'write it as key=value' })
}
