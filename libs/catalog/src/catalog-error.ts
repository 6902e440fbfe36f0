import { FloeError } from '@floe/iceberg'
import type { Namespace, TableIdentifier } from './catalog.ts'
import { formatIdentifier, formatNamespace } from './identifier.ts'

// The messages start as those of Java's catalogs do: its compatibility kit, and clients, look at them.

/** What a name can stand for. */
export type RelationKind = 'table' | 'view'

const titles: Readonly<Record<RelationKind, string>> = { table: 'Table', view: 'View' }

export function noSuchNamespace(namespace: Namespace): FloeError {
  return new FloeError('not-found', `Namespace does not exist: ${formatNamespace(namespace)}`, {
    hint: 'create the namespace, or check its name',
  })
}

export function noSuchRelation(kind: RelationKind, identifier: TableIdentifier): FloeError {
  return new FloeError('not-found', `${titles[kind]} does not exist: ${formatIdentifier(identifier)}`, {
    hint: `check the name; the ${kind} may have been dropped or renamed`,
  })
}

export function namespaceExists(namespace: Namespace): FloeError {
  return new FloeError('already-exists', `Namespace already exists: ${formatNamespace(namespace)}`)
}

/** A `kind` cannot take a name that a `holder` has. */
export function nameTaken(kind: RelationKind, holder: RelationKind, identifier: TableIdentifier): FloeError {
  const what = kind === holder ? titles[holder] : `${titles[holder]} with same name`
  return new FloeError('already-exists', `${what} already exists: ${formatIdentifier(identifier)}`, {
    hint: `choose another name, or drop that ${holder} first`,
  })
}

export function renameTaken(holder: RelationKind, from: TableIdentifier, to: TableIdentifier): FloeError {
  const message = `Cannot rename ${formatIdentifier(from)} to ${formatIdentifier(to)}. ${titles[holder]} already exists`
  return new FloeError('already-exists', message, {
    hint: `choose another name, or drop that ${holder} first`,
  })
}

export function uuidTaken(kind: RelationKind, identifier: TableIdentifier): FloeError {
  return new FloeError(
    'already-exists',
    `${formatIdentifier(identifier)}: its ${kind} uuid is registered under another name already`,
    // Two names over one set of files would let one name's cleanup delete what the other still reads.
    { hint: `use that ${kind}, rename it, or drop it without purge first` },
  )
}

export function namespaceNotEmpty(namespace: Namespace): FloeError {
  return new FloeError('invalid-input', `Namespace ${formatNamespace(namespace)} is not empty`, {
    hint: 'drop its tables, views and child namespaces first',
  })
}

/** Lost `attempts` times to commits of others. */
export function overtaken(what: string, attempts: number): FloeError {
  return new FloeError(
    'commit-conflict',
    `${what} was changed by others ${attempts} times during one commit`,
    {
      retryable: true,
      hint: 'commit again when fewer writers are at it',
    },
  )
}
