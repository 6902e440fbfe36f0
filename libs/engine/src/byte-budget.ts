import { FloeError } from '@floe/iceberg'

/** Numbers, booleans and nulls. */
const scalarBytes = 8

/** What a result may still hold. */
export class ByteBudget {
  readonly #bytesMax: number
  #left: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#left = bytesMax
  }

  /** @throws FloeError resource-exhausted */
  spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left >= 0) return
    throw new FloeError('resource-exhausted', `the result has more than ${this.#bytesMax} bytes`, {
      hint: 'select fewer rows or columns, or raise the limit on the bytes of results',
    })
  }
}

/** About what plain values take: texts their length, all others 8 bytes. */
export function bytesOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return scalarBytes
  let bytes = 0
  for (const part of Array.isArray(value) ? value : Object.values(value)) bytes += bytesOf(part)
  return bytes
}
