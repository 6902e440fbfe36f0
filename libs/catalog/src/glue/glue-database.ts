import type { Database, DatabaseInput } from '@aws-sdk/client-glue'
import { FloeError } from '@floe/iceberg'
import type { Namespace } from '../catalog.ts'
import { formatNamespace } from '../identifier.ts'

/** Namespace properties that Glue has members for; Java and PyIceberg use the same names. */
const locationProperty = 'location'
const commentProperty = 'comment'

/** What Athena, and Java's Glue catalog, take as a name; Glue itself folds capitals away in silence. */
const newName = /^[a-z0-9_]+$/
const nameCharactersMax = 255

/** A namespace has one level in Glue: any other is none that could be there. */
export function databaseName(namespace: Namespace): string | undefined {
  return namespace.length === 1 ? namespace[0] : undefined
}

/** @throws FloeError unsupported for a nested namespace, invalid-input for a name that Glue would change */
export function checkNewDatabase(namespace: Namespace): string {
  const name = databaseName(namespace)
  if (name === undefined) {
    throw new FloeError(
      'unsupported',
      `Glue has no nested namespaces such as ${formatNamespace(namespace)}`,
      {
        hint: 'use a namespace of one level',
      },
    )
  }
  checkNewName(name)
  return name
}

/** @throws FloeError invalid-input */
export function checkNewName(name: string): void {
  if (newName.test(name) && name.length <= nameCharactersMax) return
  throw new FloeError('invalid-input', `Glue cannot keep the name "${name}"`, {
    hint: `use lower case letters, digits and underscores, ${nameCharactersMax} at most`,
  })
}

export function namespaceProperties({
  Parameters,
  Description,
  LocationUri,
}: Database): Readonly<Record<string, string>> {
  return {
    ...Parameters,
    ...(LocationUri === undefined || LocationUri === ''
      ? {}
      : { [locationProperty]: LocationUri.replace(/\/+$/, '') }),
    ...(Description === undefined ? {} : { [commentProperty]: Description }),
  }
}

export function databaseInput(name: string, properties: Readonly<Record<string, string>>): DatabaseInput {
  const {
    [locationProperty]: LocationUri,
    [commentProperty]: Description,
    ...Parameters
  }: { [key: string]: string | undefined } = properties
  return {
    Name: name,
    Parameters: Object.fromEntries(
      Object.entries(Parameters).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    ...(LocationUri === undefined ? {} : { LocationUri }),
    ...(Description === undefined ? {} : { Description }),
  }
}
