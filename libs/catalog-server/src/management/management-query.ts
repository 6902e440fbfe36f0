import type { Context } from 'hono'
import { auditActions, checkIdentifier, checkNamespace } from '@floe/catalog'
import type { AuditFilter, Protectable } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import { queryNamespace } from '../path-names.ts'

/** A number of the query. @throws FloeError invalid-input when it is none from 0 to `max` */
export function queryCount(context: Context, name: string, max: number): number | undefined {
  const text = context.req.query(name)
  if (text === undefined) return undefined
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (count <= max) return count
  throw new FloeError('invalid-input', `${name} must be a whole number from 0 to ${max}`)
}

/** `namespace` with `name` is a table, without it all that is in the namespace. */
export function queryAuditFilter(context: Context): AuditFilter {
  const namespace = queryNamespace(context, 'namespace')
  const { name, principal, action: actionText } = context.req.query()
  const sinceMs = queryCount(context, 'since-ms', Number.MAX_SAFE_INTEGER)
  const untilMs = queryCount(context, 'until-ms', Number.MAX_SAFE_INTEGER)
  const action = auditActions.find((candidate) => candidate === actionText)
  if (actionText !== undefined && action === undefined)
    throw new FloeError('invalid-input', `action must be one of ${auditActions.join(', ')}`)
  return {
    ...queryObject(namespace, name),
    ...(principal === undefined ? {} : { principal }),
    ...(action === undefined ? {} : { action }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
  }
}

function queryObject(namespace: ReturnType<typeof queryNamespace>, name: string | undefined): AuditFilter {
  if (namespace === undefined) {
    if (name === undefined) return {}
    throw new FloeError('invalid-input', 'name is the name of a table, which needs its namespace as well')
  }
  if (name === undefined) return { namespace }
  const table = { namespace, name }
  checkIdentifier(table)
  return { table }
}

/** `kind`, `namespace` and, but for a namespace, `name`. */
export function queryProtectable(context: Context): Protectable {
  const namespace = queryNamespace(context, 'namespace') ?? []
  const { kind, name = '' } = context.req.query()
  if (kind === 'namespace') {
    checkNamespace(namespace)
    return { kind, namespace }
  }
  if (kind !== 'table' && kind !== 'view')
    throw new FloeError('invalid-input', 'kind must be namespace, table or view')
  const identifier = { namespace, name }
  checkIdentifier(identifier)
  return { kind, identifier }
}
