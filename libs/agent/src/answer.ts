import type { ResultColumn, SnapshotReference } from './sql-runner.ts'

/** Where the SQL came from: compiled from the grammar, or written by a model. */
export type Provenance = 'rules' | 'model'

export type CannotReason = 'no-tables' | 'unknown-word' | 'unsupported' | 'no-valid-sql'

export type Answer =
  | {
      readonly kind: 'answer'
      readonly text: string
      readonly sql: string
      readonly columns: readonly ResultColumn[]
      readonly rows: readonly (readonly unknown[])[]
      readonly references: readonly SnapshotReference[]
      readonly provider: string
      readonly provenance: Provenance
      /** How many SQL statements were proposed, the answered one included. */
      readonly attempts: number
    }
  | {
      readonly kind: 'clarification'
      readonly text: string
      /** Complete questions; asking one of them again is the way on. */
      readonly choices: readonly string[]
    }
  | {
      readonly kind: 'cannot'
      readonly text: string
      readonly reason: CannotReason
      /** Complete questions near to the asked one. */
      readonly suggestions: readonly string[]
    }
