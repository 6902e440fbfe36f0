import { FloeError } from './error.ts'

/** Spec "Partition Transforms". An unknown transform is kept by name, and never used for pruning. */
export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
  | { readonly kind: 'bucket'; readonly count: number }
  | { readonly kind: 'truncate'; readonly width: number }
  | { readonly kind: 'unknown'; readonly name: string }

/** Largest parameter of `bucket` and `truncate`: Java holds them in an int. */
export const transformParameterMax = 0x7fffffff

/** Transform from its JSON string, such as `bucket[16]`. Unheard-of names become `unknown` (spec "Partition Transforms"). */
export function parseTransform(text: string): Transform {
  const name = text.trim().toLowerCase()
  switch (name) {
    case 'identity':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'void':
      return { kind: name }
  }
  const match = /^(bucket|truncate)\[(\d+)\]$/.exec(name)
  if (!match) return { kind: 'unknown', name: text }
  const parameter = transformParameter(text, Number(match[2]))
  return match[1] === 'bucket' ? { kind: 'bucket', count: parameter } : { kind: 'truncate', width: parameter }
}

function transformParameter(text: string, parameter: number): number {
  if (parameter >= 1 && parameter <= transformParameterMax) return parameter
  throw new FloeError('invalid-input', `transform ${text} needs a number from 1 to ${transformParameterMax}`)
}

/** Inverse of `parseTransform`. */
export function transformToString(transform: Transform): string {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.count}]`
    case 'truncate':
      return `truncate[${transform.width}]`
    case 'unknown':
      return transform.name
    default:
      return transform.kind
  }
}

export function transformsEqual(a: Transform, b: Transform): boolean {
  return transformToString(a) === transformToString(b)
}
