import { decodeSingleValue, leafFields, singleValueToJson, stringifyJson } from '@floe/iceberg'
import type { DataFile, JsonObject, JsonValue, LeafField, PrimitiveType, Schema } from '@floe/iceberg'

import { int, long, mapOf, string } from './column-types.ts'
import type { Columns } from './column-types.ts'

/** Metrics of a file: maps by column id, bounds in the text of their type, and all of it once more by column name. */
export const metricColumns: Columns = {
  column_sizes: mapOf(int, long),
  value_counts: mapOf(int, long),
  null_value_counts: mapOf(int, long),
  nan_value_counts: mapOf(int, long),
  lower_bounds: mapOf(int, string),
  upper_bounds: mapOf(int, string),
}

type Leaf = { readonly name: string; readonly type: PrimitiveType }

/** Shows the metrics of a table's files; columns that the schema has no more show their id and no bounds. */
export class MetricsView {
  readonly #leaves: ReadonlyMap<number, Leaf>

  constructor(schemas: readonly Schema[]) {
    // Later schemas win: they name columns as they are called now.
    this.#leaves = new Map(
      schemas.flatMap((schema) => leafFields(schema).map((leaf) => [leaf.field.id, leafOf(leaf)] as const)),
    )
  }

  toJson(file: DataFile): JsonObject {
    return {
      column_sizes: mapToJson(file.columnSizes),
      value_counts: mapToJson(file.valueCounts),
      null_value_counts: mapToJson(file.nullValueCounts),
      nan_value_counts: mapToJson(file.nanValueCounts),
      lower_bounds: this.#boundsToJson(file.lowerBounds),
      upper_bounds: this.#boundsToJson(file.upperBounds),
    }
  }

  /** Metrics by the full name of the column. */
  readable(file: DataFile): JsonObject {
    return Object.fromEntries(
      [...this.#leaves].map(([id, { name, type }]) => [
        name,
        {
          column_size: file.columnSizes?.get(id) ?? null,
          value_count: file.valueCounts?.get(id) ?? null,
          null_value_count: file.nullValueCounts?.get(id) ?? null,
          nan_value_count: file.nanValueCounts?.get(id) ?? null,
          lower_bound: boundToJson(type, file.lowerBounds?.get(id)),
          upper_bound: boundToJson(type, file.upperBounds?.get(id)),
        },
      ]),
    )
  }

  #boundsToJson(bounds: ReadonlyMap<number, Uint8Array> | undefined): JsonValue {
    if (bounds === undefined) return null
    return Object.fromEntries(
      [...bounds].flatMap(([id, bytes]) => {
        const leaf = this.#leaves.get(id)
        return leaf === undefined ? [] : [[id, textOf(boundToJson(leaf.type, bytes))]]
      }),
    )
  }
}

function leafOf({ field, path }: LeafField): Leaf {
  return { name: path.join('.'), type: field.type }
}

function mapToJson(map: ReadonlyMap<number, number> | undefined): JsonValue {
  return map === undefined ? null : Object.fromEntries(map)
}

/** Bounds that another writer cut inside of a character, or wrote in a width of its own, show as null. */
function boundToJson(type: PrimitiveType, bytes: Uint8Array | undefined): JsonValue {
  if (bytes === undefined || type.kind === 'unknown') return null
  try {
    return singleValueToJson(type, decodeSingleValue(type, bytes))
  } catch {
    return null
  }
}

function textOf(json: JsonValue): string | null {
  if (json === null) return null
  return typeof json === 'string' ? json : stringifyJson(json)
}
