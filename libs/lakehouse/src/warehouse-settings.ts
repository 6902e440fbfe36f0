import path from 'node:path'
import { isWarehouseName } from '@floe/catalog'
import { FloeError } from '@floe/iceberg'
import { z } from 'zod'
import { localPath } from './local-path.ts'

/** A part of the catalog with names and a location of its own. */
export type Warehouse = {
  /** The prefix of its paths below `/v1`. */
  readonly name: string
  /** Under which tables are made: `file:///...` or `s3://bucket/prefix`. */
  readonly location: string
}

/** Of the one warehouse of a lakehouse that names none. */
const defaultName = 'default'

/** `warehouses` in `floe.config.yaml`: name to location. */
export const warehouseLocations: z.ZodType<Readonly<Record<string, string>>> = z.record(
  z
    .string()
    .refine(isWarehouseName, 'a warehouse name has letters, digits, _, - and . and at most 64 of them'),
  z.string(),
)

/**
 * The warehouses of a lakehouse, with the one first that commands use and that clients get who name none: `chosen` by
 * name or location, or else the first of `named`, or else a folder below `.floe`.
 */
export function parseWarehouses(
  chosen: string | undefined,
  named: Readonly<Record<string, string>> = {},
  directory: string,
): readonly [Warehouse, ...Warehouse[]] {
  const known = Object.entries(named).map(([name, text]) => ({
    name,
    location: parseLocation(text, directory),
  }))
  const first = chooseWarehouse(chosen, known, directory)
  return [first, ...known.filter(({ name }) => name !== first.name)]
}

function chooseWarehouse(
  chosen: string | undefined,
  known: readonly Warehouse[],
  directory: string,
): Warehouse {
  if (chosen === undefined) {
    return known[0] ?? { name: defaultName, location: parseLocation('file:.floe/warehouse', directory) }
  }
  const byName = known.find(({ name }) => name === chosen)
  if (byName !== undefined) return byName
  const names = known.map(({ name }) => name).join(', ')
  if (known.length > 0 && isWarehouseName(chosen)) {
    throw new FloeError('not-found', `there is no warehouse ${chosen}`, {
      hint: `warehouses of the configuration: ${names}`,
    })
  }
  const location = parseLocation(chosen, directory)
  const byLocation = known.find((warehouse) => warehouse.location === location)
  if (byLocation !== undefined) return byLocation
  if (!known.some(({ name }) => name === defaultName)) return { name: defaultName, location }
  throw new FloeError('invalid-input', `warehouse ${chosen} is not the location of any warehouse`, {
    hint: `choose one by its name (${names}), or add it to warehouses`,
  })
}

function parseLocation(text: string, directory: string): string {
  if (/^s3a?:\/\/[^/]/.test(text)) return text.replace(/\/+$/, '')
  if (text.startsWith('memory://')) return text
  const folder = /^[a-z][a-z0-9+.-]*:/i.test(text) ? localPath(text, 'file') : text
  if (folder !== undefined) return `file://${path.resolve(directory, folder)}`
  throw new FloeError('invalid-input', `warehouse ${text} is neither file:<dir> nor s3://<bucket>/<prefix>`, {
    hint: 'for example --warehouse file:.floe/warehouse, or --warehouse s3://lake/warehouse',
  })
}
