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

/** What is protected from being dropped, and from being replaced by another. */
export function isProtected(kind: RelationKind | 'namespace', name: string): FloeError {
  const title = kind === 'namespace' ? 'Namespace' : titles[kind]
  const command = `floe ${kind === 'namespace' ? 'namespace' : 'table'} unprotect`
  return new FloeError('protected', `${title} is protected: ${name}`, {
    hint: `lift the protection first, with ${command} or POST /management/v1/{warehouse}/protection`,
  })
}

export function noSuchDropped(uuid: string): FloeError {
  return new FloeError('not-found', `There is no dropped table or view ${uuid}`, {
    hint: 'it may have been brought back or have expired; floe table dropped lists those that are kept',
  })
}

/** A dropped table or view finds its old name, or the one that it was to get, with a `holder`. */
export function undropTaken(holder: RelationKind, to: TableIdentifier): FloeError {
  return new FloeError('already-exists', `${titles[holder]} already exists: ${formatIdentifier(to)}`, {
    hint: `bring it back under another name (floe table undrop --as), or rename that ${holder} first`,
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
