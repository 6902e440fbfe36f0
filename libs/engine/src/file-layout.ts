import { FloeError } from '@floe/iceberg'
import type { DuckDBConnection } from '@duckdb/node-api'

import { readRows } from './duckdb-session.ts'
import { textList } from './sql-text.ts'

/** One column, or one field inside of it, as a Parquet footer names it. */
export type FileField = {
  readonly name: string
  readonly fieldId: number | undefined
  /** Fields of a struct; `element` of a list; `key` and `value` of a map. */
  readonly children: readonly FileField[]
  readonly kind: 'primitive' | 'struct' | 'list' | 'map'
}

/** A footer's columns. Files that were written alike, physical types included, share one object. */
export type FileLayout = readonly FileField[]

/** Layouts kept in memory, by path. */
const layoutsMax = 100_000

type SchemaElement = {
  readonly name: string
  readonly id: number | null
  readonly children: number | null
  readonly converted: string | null
  readonly logical: string | null
}

/** Layouts of immutable files by location: read once per process. */
export class LayoutCache {
  readonly #byLocation = new Map<string, FileLayout>()
  readonly #byElements = new Map<string, FileLayout>()

  /**
   * Reads the footers that are not known yet. `files` are locations with their local paths.
   * @throws FloeError corrupt-data when a file is no Parquet
   */
  async read(
    connection: DuckDBConnection,
    files: readonly { readonly location: string; readonly path: string }[],
  ): Promise<ReadonlyMap<string, FileLayout>> {
    const unknown = files.filter(({ location }) => !this.#byLocation.has(location))
    const locations = new Map(unknown.map(({ location, path }) => [path, location]))
    const known = new Map<string, FileLayout>()
    for (const { location } of files) {
      const layout = this.#byLocation.get(location)
      if (layout !== undefined) known.set(location, layout)
    }
    for (const { elements, paths } of await readSchemas(connection, [...locations.keys()])) {
      const layout = this.#layoutOf(elements)
      for (const path of paths) {
        const location = locations.get(path) ?? path
        known.set(location, layout)
        this.#keep(location, layout)
      }
    }
    for (const { location } of files) if (!known.has(location)) missing(location)
    return known
  }

  #layoutOf(elements: string): FileLayout {
    const known = this.#byElements.get(elements)
    if (known !== undefined) return known
    const layout = layoutOf(JSON.parse(elements) as SchemaElement[])
    if (this.#byElements.size >= layoutsMax) this.#byElements.clear()
    this.#byElements.set(elements, layout)
    return layout
  }

  #keep(location: string, layout: FileLayout): void {
    this.#byLocation.set(location, layout)
    if (this.#byLocation.size <= layoutsMax) return
    const [oldest] = this.#byLocation.keys()
    if (oldest !== undefined) this.#byLocation.delete(oldest)
  }
}

function missing(location: string): never {
  throw new FloeError('corrupt-data', `${location} has no Parquet footer`)
}

/** The schemas of footers as JSON text, each once with the files that have it. */
async function readSchemas(
  connection: DuckDBConnection,
  paths: readonly string[],
): Promise<readonly { readonly elements: string; readonly paths: readonly string[] }[]> {
  if (paths.length === 0) return []
  const rows = await readRows(
    connection,
    `SELECT elements, to_json(list(file_name)) FROM (
       SELECT file_name, to_json(list({name: name, id: field_id, children: num_children, converted: converted_type,
         logical: logical_type, type: type, length: type_length, scale: scale, precision: precision} ORDER BY position)) AS elements
       FROM (SELECT *, row_number() OVER () AS position FROM parquet_schema(${textList(paths)}))
       GROUP BY file_name) GROUP BY elements`,
  )
  return rows.map(([elements, files]) => ({
    elements: String(elements),
    paths: JSON.parse(String(files)) as string[],
  }))
}

/** A footer lists its tree depth first, each group before its children. */
function layoutOf(elements: readonly SchemaElement[]): FileLayout {
  let at = 0
  const next = (): FileField => {
    const element = elements[at++]
    if (element === undefined)
      throw new FloeError('corrupt-data', 'a Parquet footer ends inside of its schema')
    const children = Array.from({ length: element.children ?? 0 }, next)
    return fieldOf(element, children)
  }
  return next().children
}

function fieldOf(element: SchemaElement, children: readonly FileField[]): FileField {
  const field = { name: element.name, fieldId: element.id ?? undefined }
  const [first] = children
  if (first === undefined) return { ...field, kind: 'primitive', children }
  const annotation = `${element.converted ?? ''} ${element.logical ?? ''}`
  if (/\bLIST\b|ListType/.test(annotation)) {
    // Parquet's three-level lists wrap the element in a repeated group; the older two-level ones do not.
    const wrapped = first.kind === 'struct' && first.children.length === 1 && first.fieldId === undefined
    return { ...field, kind: 'list', children: wrapped ? first.children : [first] }
  }
  if (/\bMAP\b|MapType|MAP_KEY_VALUE/.test(annotation))
    return { ...field, kind: 'map', children: first.children }
  return { ...field, kind: 'struct', children }
}
