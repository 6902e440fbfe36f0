import type { JsonObject } from '@floe/iceberg'
import { catalogOperations, catalogSchemas } from '@floe/lakehouse/serving'
import type { Operation } from '@floe/lakehouse/serving'
import type { RouterRoute } from 'hono/types'
import { z } from 'zod'
import { askBody } from './ask-routes.ts'
import { templateOf } from './route-template.ts'
import { sqlBody } from './sql-routes.ts'

/** Of the document's own version, not of the protocol's. */
const documentVersion = '1.0.0'

const ownOperations: Readonly<Record<string, Operation>> = {
  'GET /health': { id: 'health', summary: 'Whether the process lives' },
  'GET /ready': { id: 'ready', summary: 'Whether catalog and storage answer' },
  'GET /metrics': { id: 'metrics', summary: 'Numbers for Prometheus' },
  'GET /openapi.json': { id: 'openapi', summary: 'This document' },
  'POST /sql': { id: 'sql', summary: 'Runs one SELECT', body: bodySchema(sqlBody) },
  'POST /ask': { id: 'ask', summary: 'Answers a question in plain language', body: bodySchema(askBody) },
}

const operations: Readonly<Record<string, Operation>> = { ...catalogOperations, ...ownOperations }

const prefixed = /^\/v1\/([^/:]+)\/namespaces$/

/** OpenAPI 3.1: every route that is registered, with what is known of its operation. */
export function openApiDocument(routes: readonly RouterRoute[]): JsonObject {
  const prefixes = new Set(routes.flatMap(({ path }) => prefixed.exec(path)?.[1] ?? []))
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const { method, template } of servedOperations(routes)) {
    paths[template] ??= {}
    paths[template][method.toLowerCase()] = operationObject(method, template, [...prefixes])
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Floe',
      version: documentVersion,
      description:
        'The Iceberg REST catalog, SQL and questions of one lakehouse. The default warehouse also answers without its prefix.',
    },
    paths,
    components: { schemas: { ...catalogSchemas, Error: errorSchema } },
  }
}

type Served = { readonly method: string; readonly template: string }

/** Handlers for any method are middleware; a route for GET answers HEAD, which is told where it is an operation. */
function servedOperations(routes: readonly RouterRoute[]): readonly Served[] {
  const served = routes
    .filter(({ method, path }) => method !== 'ALL' && !path.endsWith('*'))
    .flatMap(({ method, path }) => {
      const template = templateOf(path)
      const head = operations[`HEAD ${template}`] === undefined || method !== 'GET' ? [] : ['HEAD']
      return [method, ...head].map((name) => ({ method: name, template }))
    })
  return [...new Map(served.map((one) => [`${one.method} ${one.template}`, one])).values()]
}

function operationObject(method: string, template: string, prefixes: readonly string[]): JsonObject {
  const {
    id,
    summary,
    query = {},
    headers = {},
    body,
    status = 200,
  } = operations[`${method} ${template}`] ?? { id: `${method} ${template}`, summary: template }
  const names = [...template.matchAll(/\{([\w-]+)\}/g)].map(([, name = '']) => name)
  const inPath = names.map((name) => parameter('path', name, pathSchema(name, prefixes)))
  const parameters = [...inPath, ...parametersIn('query', query), ...parametersIn('header', headers)]
  return {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [status]: { description: 'Done' },
      default: {
        description: 'Why it was not done',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function pathSchema(name: string, prefixes: readonly string[]): JsonObject {
  const schema = { type: 'string', minLength: 1 }
  if (name === 'prefix') return { ...schema, enum: prefixes }
  return name === 'namespace' ? { ...schema, description: 'Its levels, joined by U+001F' } : schema
}

function parametersIn(
  place: 'header' | 'query',
  schemas: Readonly<Record<string, JsonObject>>,
): readonly JsonObject[] {
  return Object.entries(schemas).map(([name, schema]) => parameter(place, name, schema))
}

function parameter(place: string, name: string, schema: JsonObject): JsonObject {
  return { name, in: place, required: place === 'path', schema }
}

function bodySchema(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { io: 'input' })
  return JSON.parse(JSON.stringify(described)) as JsonObject
}

const errorSchema: JsonObject = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        code: { type: ['integer', 'string'] },
        hint: { type: 'string' },
      },
    },
  },
}
