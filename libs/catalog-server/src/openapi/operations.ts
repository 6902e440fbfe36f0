import type { JsonObject } from '@floe/iceberg'
import { namespaceRequests } from '../namespaces.ts'
import { renameRequests } from '../rename.ts'
import { tableRequests } from '../tables.ts'
import { transactionRequests } from '../transactions.ts'
import { viewRequests } from '../views.ts'
import { accessOperations } from './access-operations.ts'
import { choice, flag, object, text } from './json-schema.ts'
import { bodyOf } from './request-schema.ts'
import { managementOperations } from './management-operations.ts'
import { storageOperations } from './storage-operations.ts'
import { tableSchemas } from './table-schemas.ts'
import { viewSchemas } from './view-schemas.ts'

/** What the OpenAPI document says of one operation besides its path. */
export type Operation = {
  /** The name that the REST specification gives it. */
  readonly id: string
  readonly summary: string
  readonly query?: Readonly<Record<string, JsonObject>>
  readonly headers?: Readonly<Record<string, JsonObject>>
  /** JSON Schema of the request body. */
  readonly body?: JsonObject
  /** Status of a success (default 200). */
  readonly status?: number
}

/** Components of the document. */
export const catalogSchemas: Readonly<Record<string, JsonObject>> = { ...tableSchemas, ...viewSchemas }

const pages = { pageToken: text, pageSize: { type: 'integer', minimum: 1 } }
const once = { 'Idempotency-Key': { type: 'string', format: 'uuid' } }
const delegation = { 'X-Iceberg-Access-Delegation': text }
const namespace = '/v1/{prefix}/namespaces/{namespace}'
const table = `${namespace}/tables/{table}`
const view = `${namespace}/views/{view}`

const namespaceOperations: Readonly<Record<string, Operation>> = {
  'GET /v1/config': {
    id: 'getConfig',
    summary: 'Settings for the clients of a warehouse, and the operations that are served',
    query: { warehouse: text },
  },
  'GET /v1/{prefix}/namespaces': {
    id: 'listNamespaces',
    summary: 'Namespaces of the top level, or those directly below a parent',
    query: { ...pages, parent: text },
  },
  'POST /v1/{prefix}/namespaces': {
    id: 'createNamespace',
    summary: 'Makes a namespace',
    headers: once,
    body: bodyOf(namespaceRequests.create),
  },
  [`GET ${namespace}`]: { id: 'loadNamespaceMetadata', summary: 'Properties of a namespace' },
  [`HEAD ${namespace}`]: { id: 'namespaceExists', summary: 'Whether there is the namespace', status: 204 },
  [`DELETE ${namespace}`]: {
    id: 'dropNamespace',
    summary: 'Removes an empty namespace',
    headers: once,
    status: 204,
  },
  [`POST ${namespace}/properties`]: {
    id: 'updateProperties',
    summary: 'Sets and removes properties of a namespace',
    headers: once,
    body: bodyOf(namespaceRequests.properties),
  },
  'POST /v1/{prefix}/transactions/commit': {
    id: 'commitTransaction',
    summary: 'Commits to several tables: to all of them or to none',
    headers: once,
    body: bodyOf(transactionRequests.commit),
    status: 204,
  },
  [`GET ${namespace}/functions`]: {
    id: 'listFunctions',
    summary: 'SQL functions of a namespace',
    query: pages,
  },
  [`GET ${namespace}/functions/{function}`]: { id: 'loadFunction', summary: 'One SQL function' },
}

const tableOperations: Readonly<Record<string, Operation>> = {
  [`GET ${namespace}/tables`]: { id: 'listTables', summary: 'Tables of a namespace', query: pages },
  [`POST ${namespace}/tables`]: {
    id: 'createTable',
    summary: 'Makes a table, or prepares one that a later commit makes',
    headers: { ...once, ...delegation },
    body: bodyOf(tableRequests.create),
  },
  [`GET ${table}`]: {
    id: 'loadTable',
    summary: 'Metadata of a table',
    query: { snapshots: choice('all', 'refs') },
    headers: { ...delegation, 'If-None-Match': text },
  },
  [`HEAD ${table}`]: { id: 'tableExists', summary: 'Whether there is the table', status: 204 },
  [`POST ${table}`]: {
    id: 'updateTable',
    summary: 'Commits updates if the requirements hold',
    headers: once,
    body: bodyOf(tableRequests.commit),
  },
  [`DELETE ${table}`]: {
    id: 'dropTable',
    summary: 'Removes a table, with its files when asked to',
    query: { purgeRequested: flag },
    headers: once,
    status: 204,
  },
  [`POST ${table}/unregister`]: {
    id: 'unregisterTable',
    summary: 'Removes the name of a table and keeps its files',
    headers: once,
  },
  [`POST ${table}/metrics`]: {
    id: 'reportMetrics',
    summary: 'Takes the report of a scan or a commit',
    body: object({ 'report-type': choice('scan-report', 'commit-report') }),
    status: 204,
  },
  [`GET ${table}/metrics`]: {
    id: 'listMetrics',
    summary: 'Reports that were taken (not in the specification)',
  },
  [`POST ${namespace}/register`]: {
    id: 'registerTable',
    summary: 'Gives a name to a metadata file',
    headers: { ...once, ...delegation },
    body: bodyOf(tableRequests.register),
  },
  'POST /v1/{prefix}/tables/rename': {
    id: 'renameTable',
    summary: 'Gives a table another name or namespace',
    headers: once,
    body: bodyOf(renameRequests.rename),
    status: 204,
  },
}

const viewOperations: Readonly<Record<string, Operation>> = {
  [`GET ${namespace}/views`]: { id: 'listViews', summary: 'Views of a namespace', query: pages },
  [`POST ${namespace}/views`]: {
    id: 'createView',
    summary: 'Makes a view',
    body: bodyOf(viewRequests.create),
  },
  [`GET ${view}`]: { id: 'loadView', summary: 'Metadata of a view' },
  [`HEAD ${view}`]: { id: 'viewExists', summary: 'Whether there is the view', status: 204 },
  [`POST ${view}`]: {
    id: 'replaceView',
    summary: 'Commits updates of a view',
    headers: once,
    body: bodyOf(viewRequests.commit),
  },
  [`DELETE ${view}`]: { id: 'dropView', summary: 'Removes a view', headers: once, status: 204 },
  [`POST ${namespace}/register-view`]: {
    id: 'registerView',
    summary: 'Gives a name to the metadata file of a view',
    headers: once,
    body: bodyOf(viewRequests.register),
  },
  'POST /v1/{prefix}/views/rename': {
    id: 'renameView',
    summary: 'Gives a view another name or namespace',
    headers: once,
    body: bodyOf(renameRequests.rename),
    status: 204,
  },
}

/** By method and path, as `/v1/config` names them. */
export const catalogOperations: Readonly<Record<string, Operation>> = {
  ...namespaceOperations,
  ...tableOperations,
  ...viewOperations,
  ...storageOperations,
  ...accessOperations,
  ...managementOperations,
}
