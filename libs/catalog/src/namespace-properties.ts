import type { NamespaceChange } from './catalog.ts'

/** Properties of a namespace after a change, and what the change came to. A key that is removed and set is set. */
export function changeProperties(
  properties: Readonly<Record<string, string>>,
  changes: { readonly updates: Readonly<Record<string, string>>; readonly removals: readonly string[] },
): { readonly properties: Readonly<Record<string, string>>; readonly change: NamespaceChange } {
  const removals = [...new Set(changes.removals)]
  const kept = Object.entries(properties).filter(([key]) => !removals.includes(key))
  return {
    properties: Object.fromEntries([...kept, ...Object.entries(changes.updates)]),
    change: {
      updated: Object.keys(changes.updates),
      removed: removals.filter((key) => Object.hasOwn(properties, key)),
      missing: removals.filter((key) => !Object.hasOwn(properties, key)),
    },
  }
}
