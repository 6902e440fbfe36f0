/** What a server can serve. */
export const serverRoles = ['catalog', 'query', 'agent'] as const
export type ServerRole = (typeof serverRoles)[number]
