import { describe } from 'vitest'
import { racesAreFair, tablesAreCommittedTo, tablesAreStaged } from './contract-commits.ts'
import { namesAreTaken, namespacesHaveLevels, namespacesKeepProperties } from './contract-namespaces.ts'
import type { CatalogTraits, ContractPart, Subject } from './contract-subject.ts'
import { tablesAreDropped, tablesAreMade, tablesAreRegistered, tablesAreRenamed } from './contract-tables.ts'

export type { CatalogSubject, CatalogTraits } from './contract-subject.ts'

export const everyTrait: CatalogTraits = {
  nested: true,
  checksParents: true,
  names: [
    'dots.in.it',
    'sla/sh',
    'per%cent',
    '%2F',
    'plus+ and space',
    'Käse',
    '表',
    '😀',
    'tables',
    'namespaces',
    'q\'"\\',
  ],
  refusedNames: [],
  uniqueFolders: true,
  namespaceLocations: true,
  countsFromZero: true,
  retriesCommits: true,
  skipsEmptyCommits: true,
  uniqueUuids: true,
  cleansUp: true,
  checksRegistered: true,
}

/** What every catalog must do, run as tests. `subject` is called once per test. */
export function describeCatalog(name: string, subject: Subject, traits: CatalogTraits = everyTrait): void {
  describe(`namespaces of the ${name}`, () => {
    for (const part of [namespacesKeepProperties, namespacesHaveLevels, namesAreTaken]) part(subject, traits)
  })
  const withShop: Subject = async () => {
    const fresh = await subject()
    await fresh.catalog.createNamespace(['shop'])
    return fresh
  }
  describe(`tables of the ${name}`, () => {
    const parts: readonly ContractPart[] = [
      tablesAreMade,
      tablesAreCommittedTo,
      tablesAreStaged,
      tablesAreRenamed,
      tablesAreRegistered,
      tablesAreDropped,
      racesAreFair,
    ]
    for (const part of parts) part(withShop, traits)
  })
}
