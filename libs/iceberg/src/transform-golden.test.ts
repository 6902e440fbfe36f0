import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { applyTransform } from './apply-transform.ts'
import { canTransform } from './transform-type.ts'
import { parseTransform } from './transform.ts'
import { parseType, type PrimitiveType, type PrimitiveValue } from './type.ts'

type Golden = {
  readonly type: string
  readonly transform: string
  readonly sources: readonly (string | boolean)[]
  readonly results: readonly (string | boolean | null)[]
}

const file = new URL('../fixtures/pyiceberg/transforms.json', import.meta.url)
const goldens = JSON.parse(readFileSync(file, 'utf8')) as readonly Golden[]

function valueOf(type: PrimitiveType, text: string | boolean): PrimitiveValue {
  if (typeof text === 'boolean') return text
  switch (type.kind) {
    case 'int':
    case 'date':
      return Number(text)
    case 'decimal':
      return BigInt(text.replace('.', ''))
    case 'fixed':
    case 'binary':
      return new Uint8Array(Buffer.from(text, 'hex'))
    case 'string':
    case 'uuid':
      return text
    default:
      return BigInt(text)
  }
}

function textOf(value: PrimitiveValue | null): string | boolean | null {
  if (value === null || typeof value === 'boolean') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

/** Decimals of the fixture have a point, those of Floe are unscaled. */
function expectedOf(type: PrimitiveType, transform: string, text: string | boolean | null): typeof text {
  const isDecimal = type.kind === 'decimal' && !transform.startsWith('bucket') && typeof text === 'string'
  return isDecimal ? String(BigInt(text.replace('.', ''))) : text
}

describe('transforms make the values that PyIceberg makes', () => {
  it.each(goldens.map((golden) => [golden.transform, golden.type, golden] as const))(
    '%s of %s',
    (name, typeName, { sources, results }) => {
      const type = parseType(typeName) as PrimitiveType
      const transform = parseTransform(name)
      expect(canTransform(transform, type)).toBe(true)
      expect(sources.map((source) => textOf(applyTransform(transform, type, valueOf(type, source))))).toEqual(
        results.map((result) => expectedOf(type, name, result)),
      )
    },
  )

  it('for every transform of the spec, and every type that one of them takes', () => {
    expect(new Set(goldens.map(({ transform }) => parseTransform(transform).kind))).toEqual(
      new Set(['identity', 'void', 'bucket', 'truncate', 'year', 'month', 'day', 'hour']),
    )
    expect(new Set(goldens.map(({ type }) => type)).size).toBe(14)
  })
})
