type Bucket = { tokens: number; filledAtMs: number }

/** A bucket of tokens for each key, filled at a steady rate; a request takes one token. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>()
  readonly #perSecond: number
  readonly #capacity: number
  readonly #keysMax: number

  constructor(settings: { readonly perSecond: number; readonly capacity: number; readonly keysMax: number }) {
    this.#perSecond = settings.perSecond
    this.#capacity = settings.capacity
    this.#keysMax = settings.keysMax
  }

  /** Milliseconds until there is a token again: 0 when this call took one. */
  take(key: string, nowMs: number): number {
    const bucket = this.#bucketOf(key, nowMs)
    const refill = ((nowMs - bucket.filledAtMs) / 1000) * this.#perSecond
    bucket.tokens = Math.min(this.#capacity, bucket.tokens + refill)
    bucket.filledAtMs = nowMs
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / this.#perSecond) * 1000)
    bucket.tokens -= 1
    return 0
  }

  #bucketOf(key: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#capacity, filledAtMs: nowMs }
    // A Map keeps insertion order: the first key is the one that was quiet longest, so its bucket is the fullest.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#keysMax) {
      const [quietest] = this.#buckets.keys()
      if (quietest !== undefined) this.#buckets.delete(quietest)
    }
    return bucket
  }
}
