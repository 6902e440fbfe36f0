import type { JsonObject } from '@floe/iceberg'
import { managementRequests } from '../management/management-routes.ts'
import { choice, text } from './json-schema.ts'
import type { Operation } from './operations.ts'
import { bodyOf } from './request-schema.ts'

const warehouse = '/management/v1/{warehouse}'
const once = { 'Idempotency-Key': { type: 'string', format: 'uuid' } }
const count: JsonObject = { type: 'integer', minimum: 0 }
const filter = {
  namespace: text,
  name: text,
  principal: text,
  action: text,
  'since-ms': count,
  'until-ms': count,
}

/** What keeps tables safe; Floe's own. */
export const managementOperations: Readonly<Record<string, Operation>> = {
  [`GET ${warehouse}/dropped`]: {
    id: 'listDropped',
    summary: 'Dropped tables and views that can be brought back, newest first',
    query: { namespace: text, pageToken: text, pageSize: { type: 'integer', minimum: 1 } },
  },
  [`POST ${warehouse}/dropped/undrop`]: {
    id: 'undrop',
    summary: 'Brings a dropped table or view back, under its name or another one',
    headers: once,
    body: bodyOf(managementRequests.undrop),
  },
  [`POST ${warehouse}/dropped/expire`]: {
    id: 'expireDropped',
    summary: 'Forgets what is over its retention, or one that may not be, with the files of a purge',
    body: bodyOf(managementRequests.expire),
  },
  [`GET ${warehouse}/protection`]: {
    id: 'getProtection',
    summary: 'Whether something is protected from being dropped',
    query: { kind: choice('namespace', 'table', 'view'), namespace: text, name: text },
  },
  [`POST ${warehouse}/protection`]: {
    id: 'setProtection',
    summary: 'Protects something from being dropped, or lifts that',
    headers: once,
    body: bodyOf(managementRequests.protect),
    status: 204,
  },
  [`GET ${warehouse}/audit`]: {
    id: 'readAudit',
    summary: 'Who changed what and when, newest first',
    query: { ...filter, before: count, limit: count },
  },
  [`GET ${warehouse}/events`]: {
    id: 'readEvents',
    summary: 'Changes in their order, after the one with a number; waits for the next when there is none',
    query: { ...filter, after: count, limit: count, 'wait-seconds': count },
  },
}
