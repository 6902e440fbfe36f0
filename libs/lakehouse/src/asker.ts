import { createHash } from 'node:crypto'
import type { WarehouseAccess } from '@floe/catalog-server'

/** Who asks: a principal whose grants are known here, or the bearer of a token that the catalog knows. */
export type Asker = { readonly access?: WarehouseAccess | undefined; readonly bearer?: string | undefined }

/** Hex digits of a token's hash: enough to tell askers apart, and of no use to whoever reads a log. */
const hashDigits = 12

/** What an asker is called where it is written down. */
export function principalOf({ access, bearer }: Asker): string {
  if (access !== undefined) return access.principal.name
  if (bearer === undefined) return 'anonymous'
  return `token ${createHash('sha256').update(bearer).digest('hex').slice(0, hashDigits)}`
}
