import { FloeError } from '@floe/iceberg'
import type { Namespace, TableIdentifier } from './catalog.ts'
import { formatIdentifier, formatNamespace } from './identifier.ts'

// The messages start as those of Java's catalogs do: its compatibility kit, and clients, look at them.

export function noSuchNamespace(namespace: Namespace): FloeError {
  return new FloeError('not-found', `Namespace does not exist: ${formatNamespace(namespace)}`, {
    hint: 'create the namespace, or check its name',
  })
}

export function noSuchTable(identifier: TableIdentifier): FloeError {
  return new FloeError('not-found', `Table does not exist: ${formatIdentifier(identifier)}`, {
    hint: 'check the name; the table may have been dropped or renamed',
  })
}

export function namespaceExists(namespace: Namespace): FloeError {
  return new FloeError('already-exists', `Namespace already exists: ${formatNamespace(namespace)}`)
}

export function tableExists(identifier: TableIdentifier): FloeError {
  return new FloeError('already-exists', `Table already exists: ${formatIdentifier(identifier)}`, {
    hint: 'choose another name, or drop that table first',
  })
}

export function namespaceNotEmpty(namespace: Namespace): FloeError {
  return new FloeError('invalid-input', `Namespace ${formatNamespace(namespace)} is not empty`, {
    hint: 'drop its tables and child namespaces first',
  })
}
