import { namespaceSeparator } from '@floe/catalog'
import type { AuditFilter, CatalogManagement, Namespace, Protectable } from '@floe/catalog'
import { auditEntrySchema, auditObjectToJson, droppedSchema, protectableSchema } from '@floe/catalog-server'
import { FloeError } from '@floe/iceberg'
import { z } from 'zod'
import type { ManagementClient } from './management-client.ts'

const droppedPage = z.object({ dropped: z.array(droppedSchema), 'next-page-token': z.string().nullable() })
const failedSchema = z.intersection(droppedSchema, z.object({ error: z.string() }))
const expiryAnswer = z.object({ expired: z.array(droppedSchema), failed: z.array(z.unknown()) })
const protectionAnswer = z.object({ protected: z.boolean() })
const auditAnswer = z.object({ entries: z.array(auditEntrySchema) })
const eventsAnswer = z.object({ events: z.array(auditEntrySchema), next: z.number() })
const undropAnswer = protectableSchema.refine(({ kind }) => kind !== 'namespace')

/** Dropped tables, protection and the audit log of a catalog that is another Floe server. */
export function remoteManagement({ inWarehouse }: ManagementClient): CatalogManagement {
  return {
    listDropped: async (namespace) => {
      const found: z.output<typeof droppedSchema>[] = []
      for (let pageToken: string | null = ''; pageToken !== null;) {
        const path = `/dropped${query({ namespace: pathText(namespace), pageToken })}`
        const page = droppedPage.parse(await inWarehouse('GET', path))
        found.push(...page.dropped)
        pageToken = page['next-page-token']
      }
      return found
    },
    undrop: async (uuid, as) => {
      const body = { uuid, ...(as === undefined ? {} : { as }) }
      const on = undropAnswer.parse(await inWarehouse('POST', '/dropped/undrop', body))
      if (on.kind !== 'namespace') return on
      throw new FloeError('corrupt-data', 'the catalog says that it has brought back a namespace')
    },
    expireDropped: async (uuid) => {
      const body = uuid === undefined ? {} : { uuid }
      const answer = expiryAnswer.parse(await inWarehouse('POST', '/dropped/expire', body))
      const failures = answer.failed.map((item) => {
        const { error, ...relation } = failedSchema.parse(item)
        return { relation, error: new FloeError('unavailable', error) }
      })
      return { expired: answer.expired, failures }
    },
    isProtected: async (on) =>
      protectionAnswer.parse(await inWarehouse('GET', `/protection${query(objectQuery(on))}`)).protected,
    setProtection: async (on, isProtected) => {
      await inWarehouse('POST', '/protection', { on: auditObjectToJson(on), protected: isProtected })
    },
    readAudit: async (filter, { before, limit }) => {
      const path = `/audit${query({ ...filterQuery(filter), before, limit })}`
      return auditAnswer.parse(await inWarehouse('GET', path)).entries
    },
    readEvents: async (after, limit, filter = {}) => {
      const path = `/events${query({ ...filterQuery(filter), after, limit })}`
      return eventsAnswer.parse(await inWarehouse('GET', path))
    },
  }
}

type Query = Readonly<Record<string, string | number | undefined>>

function query(parameters: Query): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return given.length === 0 ? '' : `?${given.join('&')}`
}

function objectQuery(on: Protectable): Query {
  if (on.kind === 'namespace') return { kind: on.kind, namespace: pathText(on.namespace) }
  const { namespace, name } = on.identifier
  return { kind: on.kind, namespace: pathText(namespace), name }
}

function filterQuery({ table, namespace, principal, action, sinceMs, untilMs }: AuditFilter): Query {
  const place = pathText(table === undefined ? namespace : table.namespace)
  const times = { 'since-ms': sinceMs, 'until-ms': untilMs }
  return { namespace: place, name: table?.name, principal, action, ...times }
}

function pathText(namespace: Namespace | undefined): string | undefined {
  return namespace?.join(namespaceSeparator)
}
