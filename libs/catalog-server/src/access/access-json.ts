import { z } from 'zod'
import { privileges } from '@floe/catalog'
import type { Grant, Grantee, Securable, StoredToken } from '@floe/catalog'
import type { JsonObject } from '@floe/iceberg'
import { namespaceLevels } from '../request-body.ts'

/** Characters of the name of a principal or role. */
const granteeCharactersMax = 256

const name = z.string().min(1).max(granteeCharactersMax)

export const granteeSchema: z.ZodType<Grantee> = z.strictObject({
  kind: z.enum(['principal', 'role']),
  name,
})

/** A table is written flat: `{ "kind": "table", "namespace": ["shop"], "name": "orders" }`. */
export const securableSchema: z.ZodType<Securable> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('server') }),
  z.strictObject({ kind: z.literal('warehouse') }),
  z.strictObject({ kind: z.literal('namespace'), namespace: namespaceLevels }),
  z
    .strictObject({ kind: z.literal('table'), namespace: namespaceLevels, name: z.string() })
    .transform(({ namespace, name }): Securable => ({ kind: 'table', identifier: { namespace, name } })),
])

export const grantSchema: z.ZodType<Grant> = z.strictObject({
  to: granteeSchema,
  privilege: z.enum(privileges),
  on: securableSchema,
})

export const principalName: z.ZodType<string> = name
export const roleNames: z.ZodType<readonly string[]> = z.array(name).max(256)

export function securableToJson(on: Securable): JsonObject {
  return on.kind === 'table' ? { kind: 'table', ...on.identifier } : on
}

export function grantToJson({ to, privilege, on }: Grant): JsonObject {
  return { to, privilege, on: securableToJson(on) }
}

/** What may be told of a token: never its secret, nor the hash of it. */
export type TokenInfo = Omit<StoredToken, 'secretHash'>
