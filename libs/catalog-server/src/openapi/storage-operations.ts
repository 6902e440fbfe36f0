import { planningRequests } from '../scan-planning.ts'
import { signRequests } from '../sign.ts'
import { text } from './json-schema.ts'
import type { Operation } from './operations.ts'
import { bodyOf } from './request-schema.ts'

const table = '/v1/{prefix}/namespaces/{namespace}/tables/{table}'
const once = { 'Idempotency-Key': { type: 'string', format: 'uuid' } }
const delegation = { 'X-Iceberg-Access-Delegation': text }

/** What reads storage for clients, or lets them read it. */
export const storageOperations: Readonly<Record<string, Operation>> = {
  [`GET ${table}/credentials`]: {
    id: 'loadCredentials',
    summary: 'Credentials for the files of a table',
    query: { planId: text },
  },
  [`POST ${table}/plan`]: {
    id: 'planTableScan',
    summary: 'Plans a scan: which files are to be read, or the tasks that tell which',
    headers: { ...once, ...delegation },
    body: bodyOf(planningRequests.plan),
  },
  [`GET ${table}/plan/{plan-id}`]: {
    id: 'fetchPlanningResult',
    summary: 'What a plan has come to',
    headers: delegation,
  },
  [`DELETE ${table}/plan/{plan-id}`]: {
    id: 'cancelPlanning',
    summary: 'Ends a plan',
    headers: once,
    status: 204,
  },
  [`POST ${table}/tasks`]: {
    id: 'fetchScanTasks',
    summary: 'Files of one piece of a plan',
    headers: once,
    body: bodyOf(planningRequests.tasks),
  },
  [`POST ${table}/sign`]: {
    id: 'signRequest',
    summary: 'Signs a request for a file of a table',
    body: bodyOf(signRequests.sign),
  },
}
