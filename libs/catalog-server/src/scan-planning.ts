import { Hono } from 'hono'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Catalog, LoadedTable } from '@floe/catalog'
import { stringifyJson } from '@floe/iceberg'
import type { JsonObject } from '@floe/iceberg'
import type { ObjectStore } from '@floe/storage'
import { accessRequested } from './access-request.ts'
import { errorModel, namingTheMissing, ProtocolError } from './error-response.ts'
import { pathIdentifier } from './path-names.ts'
import { planRequest, scanQueryOf } from './plan-request.ts'
import type { ScanQuery } from './plan-request.ts'
import { PlanRegistry } from './plan-registry.ts'
import type { Plan, PlanLimits } from './plan-registry.ts'
import { decodePlanTask } from './plan-task.ts'
import { readBody } from './request-body.ts'
import { requestKey } from './request-key.ts'
import { ScanPlanner } from './scan-planner.ts'
import type { ScanPlannerSettings } from './scan-planner.ts'
import type { StorageDelegation } from './storage-delegation.ts'

export const planningEndpoints: readonly string[] = [
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/tasks',
]

export type PlanningSettings = PlanLimits &
  ScanPlannerSettings & {
    /** Where manifests are read. */
    readonly store: ObjectStore
    /** How long a request waits for its plan before it is answered with `submitted` (default 20,000). */
    readonly planWaitMsMax?: number
    /** Told to clients as `scan-planning-mode`; without it they choose. */
    readonly mode?: 'client' | 'server'
  }

/** `scan-planning-mode` where one is set: PyIceberg reads it from `/v1/config`, Java from the config of a table. */
export function planningMode({
  planning,
}: {
  readonly planning?: PlanningSettings
}): Readonly<Record<string, string>> {
  return planning?.mode === undefined ? {} : { 'scan-planning-mode': planning.mode }
}

/** PyIceberg 0.12 cannot wait for a submitted plan, so it should stay rare. */
const planWaitMsMaxDefault = 20_000

type Components = {
  readonly catalog: Catalog
  readonly clock: { now(): number }
  readonly uuid: () => string
  /** `storage-credentials` to read a table with, for a request that asks for them. */
  readonly credentials: (context: Context, table: LoadedTable) => Promise<JsonObject>
}

/** Spec `storage-credentials` of a completed plan: keys to read with, for a client that asks for keys. */
export async function planCredentials(
  context: Context,
  table: LoadedTable,
  delegation: StorageDelegation,
): Promise<JsonObject> {
  if (!accessRequested(context).has('vended-credentials')) return {}
  const credentials = await delegation.credentialsOf(context, table, 'read')
  return credentials.length === 0 ? {} : { 'storage-credentials': credentials }
}

const tasksRequest = z.object({ 'plan-task': z.string() })
/** For the OpenAPI document. */
export const planningRequests: Readonly<Record<'plan' | 'tasks', z.ZodType>> = {
  plan: planRequest,
  tasks: tasksRequest,
}

/** Spec scan planning: plan, fetch, cancel, tasks. */
export function planningRoutes(settings: PlanningSettings, components: Components): Hono {
  const planning = new Planning(settings, components)
  const table = '/namespaces/:namespace/tables/:table'
  return new Hono()
    .post(`${table}/plan`, (context) => planning.plan(context))
    .get(`${table}/plan/:plan-id`, (context) => planning.fetch(context))
    .delete(`${table}/plan/:plan-id`, (context) => planning.cancel(context))
    .post(`${table}/tasks`, (context) => planning.tasks(context))
}

class Planning {
  readonly #components: Components
  readonly #planner: ScanPlanner
  readonly #registry: PlanRegistry
  readonly #planWaitMsMax: number

  constructor(settings: PlanningSettings, components: Components) {
    this.#components = components
    this.#planner = new ScanPlanner(settings.store, settings)
    this.#registry = new PlanRegistry(components, settings)
    this.#planWaitMsMax = settings.planWaitMsMax ?? planWaitMsMaxDefault
  }

  async plan(context: Context): Promise<Response> {
    const table = await this.#load(context)
    const body = await readBody(context, planRequest)
    const key = await requestKey(context)
    const { tableUuid } = table.metadata
    const before = key === undefined ? undefined : this.#registry.findByKey(tableUuid, key)
    if (before !== undefined) return this.#answer(context, table, before)
    const query = scanQueryOf(body, table.metadata)
    const { plan, signal } = this.#registry.open(tableUuid, query, key)
    const work = this.#run(table, plan.id, query, signal)
    const tasks = await within(work, this.#planWaitMsMax).catch((error: unknown) => {
      this.#registry.discard(plan.id)
      throw error
    })
    if (tasks !== undefined) return this.#completed(context, table, plan.id, tasks)
    this.#registry.submit(plan.id, work)
    return jsonText(stringifyJson({ status: 'submitted', 'plan-id': plan.id }))
  }

  async fetch(context: Context): Promise<Response> {
    const table = await this.#load(context)
    return this.#answer(context, table, this.#planOf(context, table))
  }

  async cancel(context: Context): Promise<Response> {
    await requestKey(context)
    const table = await this.#load(context)
    this.#registry.cancel(this.#planOf(context, table).id)
    return context.body(null, 204)
  }

  async tasks(context: Context): Promise<Response> {
    await requestKey(context)
    const table = await this.#load(context)
    const request = await readBody(context, tasksRequest)
    const task = decodePlanTask(request['plan-task'])
    const { tableUuid } = table.metadata
    const isOwn = task?.table === tableUuid
    const isCancelled = isOwn && this.#registry.find(tableUuid, task.plan)?.state.kind === 'cancelled'
    const result =
      isOwn && !isCancelled ? await this.#planner.fetch(table, task, context.req.raw.signal) : undefined
    if (result === undefined) {
      const message =
        'the plan task does not exist: it is of another table, was cancelled, or its snapshot has expired'
      throw new ProtocolError(404, 'NoSuchPlanTaskException', message)
    }
    return jsonText(stringifyJson(result))
  }

  async #answer(context: Context, table: LoadedTable, { id, query, state }: Plan): Promise<Response> {
    switch (state.kind) {
      case 'answered':
        return this.#completed(context, table, id, await this.#run(table, id, query, context.req.raw.signal))
      case 'completed':
        return this.#completed(context, table, id, state.body)
      case 'failed':
        return jsonText(stringifyJson({ status: 'failed', error: errorModel(state.error) }))
      case 'submitted':
      case 'cancelled':
        return jsonText(stringifyJson({ status: state.kind, 'plan-id': id }))
    }
  }

  /** Spec `CompletedPlanningWithIDResult`. */
  async #completed(context: Context, table: LoadedTable, planId: string, tasks: string): Promise<Response> {
    const credentials = await this.#components.credentials(context, table)
    const head = stringifyJson({ status: 'completed', 'plan-id': planId, ...credentials })
    // `tasks` is an object with members: the text of both, joined.
    return jsonText(`${head.slice(0, -1)},${tasks.slice(1)}`)
  }

  async #run(table: LoadedTable, planId: string, query: ScanQuery, signal: AbortSignal): Promise<string> {
    return stringifyJson(await this.#planner.plan({ table, planId, query }, signal))
  }

  #planOf(context: Context, { metadata }: LoadedTable): Plan {
    const id = new URL(context.req.url).pathname.split('/').at(-1) ?? ''
    const plan = this.#registry.find(metadata.tableUuid, id)
    if (plan !== undefined) return plan
    throw new ProtocolError(404, 'NoSuchPlanIdException', `the plan ${id} does not exist`)
  }

  #load(context: Context): Promise<LoadedTable> {
    const identifier = pathIdentifier(context)
    return namingTheMissing('NoSuchTableException', () => this.#components.catalog.loadTable(identifier))
  }
}

/** What `work` comes to, or `undefined` when it takes longer. */
async function within<T>(work: Promise<T>, waitMs: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), waitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function jsonText(body: string): Response {
  return new Response(body, {
    headers: { 'content-type': 'application/json', 'cache-control': 'private, no-store' },
  })
}
