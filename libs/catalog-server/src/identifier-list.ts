import type { TableIdentifier } from '@floe/catalog'

/** Spec `ListTablesResponse`. Names of one namespace share its JSON: a third of the time of writing out each object. */
export function identifierList(
  identifiers: readonly TableIdentifier[],
  nextPageToken: string | null,
): Response {
  let namespace: readonly string[] | undefined
  let head = ''
  let list = ''
  for (const identifier of identifiers) {
    if (identifier.namespace !== namespace) {
      namespace = identifier.namespace
      head = `{"namespace":${JSON.stringify(namespace)},"name":`
    }
    list += `${list === '' ? '' : ','}${head}${JSON.stringify(identifier.name)}}`
  }
  const body = `{"identifiers":[${list}],"next-page-token":${JSON.stringify(nextPageToken)}}`
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}
