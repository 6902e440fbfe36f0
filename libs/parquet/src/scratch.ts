/** Buffers that one encoder reuses from chunk to chunk; each is valid until it is asked for again. */
export class Scratch {
  /** Columns whose last chunk was not compressed, because it did not shrink. */
  readonly storedColumns: Set<string> = new Set()
  #ids = new Int32Array(0)
  #levels = new Int32Array(0)
  #entries = new Int32Array(0)
  #slots = new Int32Array(0)
  #offsets = new Int32Array(0)
  #page = new Uint8Array(0)

  ids(count: number): Int32Array {
    if (this.#ids.length < count) this.#ids = new Int32Array(roomy(count))
    return this.#ids
  }

  levels(count: number): Int32Array {
    if (this.#levels.length < count) this.#levels = new Int32Array(roomy(count))
    return this.#levels
  }

  entries(count: number): Int32Array {
    if (this.#entries.length < count) this.#entries = new Int32Array(roomy(count))
    return this.#entries
  }

  /** `count` slots, all -1. */
  slots(count: number): Int32Array {
    if (this.#slots.length < count) this.#slots = new Int32Array(roomy(count))
    return this.#slots.subarray(0, count).fill(-1)
  }

  /** Offsets of `count` values that have `width` bytes each. */
  evenOffsets(count: number, width: number): Int32Array {
    if (this.#offsets.length <= count) this.#offsets = new Int32Array(roomy(count + 1))
    for (let index = 0; index <= count; index++) this.#offsets[index] = index * width
    return this.#offsets
  }

  /** At least `bytes` long; what was in it is kept in no case. */
  page(bytes: number): Uint8Array {
    if (this.#page.length < bytes) this.#page = new Uint8Array(roomy(bytes))
    return this.#page
  }
}

function roomy(count: number): number {
  return Math.max(1024, Math.ceil(count * 1.25))
}
