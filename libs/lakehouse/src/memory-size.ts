import { FloeError } from '@floe/iceberg'

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1000,
  M: 1000 ** 2,
  G: 1000 ** 3,
  KI: 1024,
  MI: 1024 ** 2,
  GI: 1024 ** 3,
}

/** Bytes of a size such as `512MB`, `2GiB` or `1G`. @throws invalid-input */
export function parseMemory(text: string | undefined): { readonly memoryBytes?: number } {
  if (text === undefined) return {}
  const [, digits = '', unit = ''] = /^(\d+)\s*([KMG]I?)?B?$/i.exec(text) ?? []
  const bytes = Number(digits) * (units[unit.toUpperCase()] ?? 0)
  if (digits !== '' && Number.isSafeInteger(bytes) && bytes > 0) return { memoryBytes: bytes }
  throw new FloeError('invalid-input', `memory is ${text}`, { hint: 'give a size such as 512MB or 2GiB' })
}
