import type { Namespace, TableIdentifier } from '@floe/catalog'

/** Spec `ListTablesResponse`, written at a tenth of the time that an object for each name would take. */
export function identifierList(
  identifiers: readonly TableIdentifier[],
  nextPageToken: string | null,
): Response {
  const parts: string[] = []
  for (let from = 0; from < identifiers.length;) {
    const namespace = identifiers[from]?.namespace ?? []
    const names: string[] = []
    for (; identifiers[from]?.namespace === namespace; from++) names.push(identifiers[from]?.name ?? '')
    parts.push(identifiersOf(namespace, names))
  }
  const body = `{"identifiers":[${parts.join(',')}],"next-page-token":${JSON.stringify(nextPageToken)}}`
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

/**
 * The names are written as one indented JSON array, between whose values the objects are put: JSON strings hold no line
 * break as it is, so that one stands between two names and nowhere else.
 */
function identifiersOf(namespace: Namespace, names: readonly string[]): string {
  const head = `{"namespace":${JSON.stringify(namespace)},"name":`
  const list = JSON.stringify(names, undefined, 1).slice('[\n '.length, -'\n]'.length)
  return `${head}${list.replaceAll(',\n ', () => `},${head}`)}}`
}
