import { createHash } from 'node:crypto'
import type { Catalog } from '@floe/catalog'
import type { RemoteCatalog } from './open-catalogs.ts'

/** Tokens whose catalogs stay open: each has read its configuration once. */
const tokensMax = 256

/** One catalog for each token, those used last: what it gives is what the token allows. */
export class TokenCatalogs {
  readonly #open: (token: string) => Promise<RemoteCatalog>
  readonly #catalogs = new Map<string, Promise<RemoteCatalog>>()

  constructor(open: (token: string) => Promise<RemoteCatalog>) {
    this.#open = open
  }

  async open(token: string): Promise<Catalog> {
    const key = createHash('sha256').update(token).digest('hex')
    const catalog = this.#catalogs.get(key) ?? this.#open(token)
    this.#catalogs.delete(key)
    this.#catalogs.set(key, catalog)
    const [oldest] = this.#catalogs.keys()
    // It is not closed: requests under way may still use it.
    if (this.#catalogs.size > tokensMax && oldest !== undefined) this.#catalogs.delete(oldest)
    try {
      return (await catalog).catalog
    } catch (error) {
      this.#catalogs.delete(key)
      throw error
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#catalogs.values())
    this.#catalogs.clear()
    for (const one of opened) if (one.status === 'fulfilled') await one.value.close()
  }
}
