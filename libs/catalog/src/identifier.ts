import { FloeError } from '@floe/iceberg'
import type { Namespace, TableIdentifier } from './catalog.ts'

/** REST spec: levels of a namespace are joined by the unit separator, so no level may hold it. */
export const namespaceSeparator = '\u001F'

/** Levels that a namespace may have, and characters of one name. */
const namespaceLevelsMax = 32
const nameCharactersMax = 1024

/** `a.b`, for messages. */
export function formatNamespace(namespace: Namespace): string {
  return namespace.join('.')
}

/** `a.b.name`, for messages. */
export function formatIdentifier({ namespace, name }: TableIdentifier): string {
  return [...namespace, name].join('.')
}

/** @throws FloeError invalid-input when a level cannot be a name, or there is no level */
export function checkNamespace(namespace: Namespace): void {
  if (namespace.length === 0) throw new FloeError('invalid-input', 'a namespace needs at least one level')
  if (namespace.length > namespaceLevelsMax) {
    throw new FloeError('invalid-input', `a namespace has at most ${namespaceLevelsMax} levels`)
  }
  for (const level of namespace) checkName(level, 'namespace')
}

/** @throws FloeError invalid-input when the table could not be stored or addressed by this name */
export function checkIdentifier({ namespace, name }: TableIdentifier): void {
  checkNamespace(namespace)
  checkName(name, 'table')
}

function checkName(name: string, kind: 'namespace' | 'table'): void {
  const fault = nameFault(name)
  if (fault === undefined) return
  throw new FloeError('invalid-input', `a ${kind} name ${fault}`, { hint: `choose another ${kind} name` })
}

function nameFault(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (name.length > nameCharactersMax) return `has at most ${nameCharactersMax} characters`
  if (name.includes('\0')) return 'must not hold NUL'
  if (name.includes(namespaceSeparator)) return 'must not hold the unit separator U+001F'
  // UTF-8 turns every lone surrogate into the same replacement character: two names would become one.
  if (!name.isWellFormed()) return 'must be valid Unicode'
  // URL parsers remove such path segments even when they are percent-encoded.
  if (name === '.' || name === '..') return 'must not be "." or ".."'
  return undefined
}
