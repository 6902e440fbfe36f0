import type { z } from 'zod'
import { accessRequests } from '../access/access-routes.ts'
import { bodyOf } from './request-schema.ts'
import type { Operation } from './operations.ts'

const grants = '/management/v1/{warehouse}/grants'
const restrictions = '/management/v1/{warehouse}/restrictions'

/** Who may do what: there while the server asks who its clients are. */
export const accessOperations: Readonly<Record<string, Operation>> = {
  'POST /v1/oauth/tokens': { id: 'getToken', summary: 'A token for client credentials, sent as a form' },
  'GET /management/v1/tokens': { id: 'listTokens', summary: 'Tokens, without their secrets' },
  'POST /management/v1/tokens': {
    id: 'createToken',
    summary: 'Makes a token, or a client; its text is told once',
    body: bodyOf(accessRequests.token),
  },
  'DELETE /management/v1/tokens/{id}': {
    id: 'revokeToken',
    summary: 'Ends a token, and those that were issued for a client',
    status: 204,
  },
  [`GET ${grants}`]: { id: 'listGrants', summary: 'Who may do what in a warehouse' },
  [`POST ${grants}`]: change('addGrant', 'Grants a privilege', accessRequests.grant),
  [`POST ${grants}/remove`]: change('removeGrant', 'Takes a grant back', accessRequests.removeGrant),
  [`GET ${restrictions}`]: {
    id: 'listRestrictions',
    summary: 'Row filters and column masks of a warehouse',
  },
  [`POST ${restrictions}`]: change(
    'addRestriction',
    'Restricts what somebody sees of a table',
    accessRequests.restriction,
  ),
  [`POST ${restrictions}/remove`]: change(
    'removeRestriction',
    'Takes a restriction back',
    accessRequests.removeRestriction,
  ),
}

function change(id: string, summary: string, schema: z.ZodType): Operation {
  return { id, summary, body: bodyOf(schema), status: 204 }
}
