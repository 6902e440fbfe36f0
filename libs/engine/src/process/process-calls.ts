import type { QueryProfile } from '../query-profile.ts'
import type { QueryResult } from '../query-result.ts'

/** Which query of the process: the process that asks counts them. */
type OfQuery = { readonly query: number }

/** What the process that runs queries is asked for. */
export type QueryInput = OfQuery & {
  readonly sql: string
  readonly rowsMax?: number
  readonly resultBytesMax?: number
}

export type ResultHead = Pick<QueryResult, 'columns' | 'references' | 'pruning'>

export type ReadForm =
  | { readonly form: 'rows' }
  | { readonly form: 'arrow'; readonly metadata: ReadonlyMap<string, string> }

/** The next batches, in the form that reading began with. */
export type ResultPart = {
  readonly batches: readonly unknown[]
  readonly done: boolean
  readonly truncated: boolean
  readonly profile: QueryProfile
}
