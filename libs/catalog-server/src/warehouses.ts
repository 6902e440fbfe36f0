import { isResourceSegment } from '@floe/catalog'
import type { Catalog } from '@floe/catalog'
import { ProtocolError } from './error-response.ts'
import type { DelegationSettings } from './storage-delegation.ts'
import type { TableConfig } from './table-answers.ts'

/** A catalog of its own below `/v1/{name}`: its namespaces and tables show in no other. */
export type ServedWarehouse = {
  /** Path segment after `/v1` (spec `{prefix}`), told to clients as an override. */
  readonly name?: string
  /** Told to clients as the `warehouse` default. */
  readonly location?: string
  readonly catalog: Catalog
  /** Settings that clients of a table get with it, such as `s3.endpoint`; they win over the catalog's own. */
  readonly tableConfig?: TableConfig
  /** How clients reach the files of tables without keys of their own. */
  readonly delegation?: DelegationSettings
}

type Warehouses<Warehouse> = readonly [Warehouse, ...Warehouse[]]

/** The warehouse that a client names in `/v1/config`, by its name or its location; the first one when it names none. */
export function lookUpWarehouse<Warehouse extends Pick<ServedWarehouse, 'location' | 'name'>>(
  warehouses: Warehouses<Warehouse>,
  asked: string | undefined,
): Warehouse | undefined {
  if (asked === undefined || asked === '') return warehouses[0]
  const location = plainLocation(asked)
  return (
    warehouses.find(({ name }) => name === asked) ??
    warehouses.find((one) => one.location !== undefined && plainLocation(one.location) === location)
  )
}

/**
 * The same of one that must be there.
 * @throws ProtocolError 404 NoSuchWarehouseException
 */
export function findWarehouse(
  warehouses: Warehouses<ServedWarehouse>,
  asked: string | undefined,
): ServedWarehouse {
  const found = lookUpWarehouse(warehouses, asked)
  if (found === undefined) throw noSuchWarehouse(asked ?? '')
  return found
}

export function noSuchWarehouse(name: string): ProtocolError {
  return new ProtocolError(404, 'NoSuchWarehouseException', `Warehouse does not exist: ${name}`)
}

/** The prefix of a path below `/v1`, if it has one with something below it. */
export function pathPrefix(pathname: string): string | undefined {
  const [, , segment, below] = pathname.split('/')
  return segment === undefined || below === undefined || isResourceSegment(segment) ? undefined : segment
}

/** Spellings of one location: clients add a slash at the end, write two slashes less, or the scheme of Hadoop. */
function plainLocation(location: string): string {
  return location
    .replace(/^s3[an]:/, 's3:')
    .replace(/^file:\/+/, 'file:/')
    .replace(/(?<!\/)\/+$/, '')
}
