import { FloeError, parseJson, stringifyJson } from '@floe/iceberg'

/**
 * Which Iceberg field each source column is, by `attnum`: PostgreSQL never reuses an attnum within a table, so a
 * renamed column keeps its field and a column that was dropped and made again gets a new one.
 */
export type SourceMapping = { readonly table: string; readonly fieldIdByAttnum: ReadonlyMap<number, number> }

const sourceTableProperty = 'floe.source.table'
const sourceColumnsProperty = 'floe.source.columns'

/** The mapping that a table carries in its properties, or `undefined` for a table that no load has made. */
export function parseSourceMapping(properties: Readonly<Record<string, string>>): SourceMapping | undefined {
  const columns = properties[sourceColumnsProperty]
  if (columns === undefined) return undefined
  const value = parseJson(columns)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed()
  const entries = Object.entries(value).map(([attnum, fieldId]) => {
    if (typeof fieldId !== 'number' || !/^\d+$/.test(attnum)) throw malformed()
    return [Number(attnum), fieldId] as const
  })
  return { table: properties[sourceTableProperty] ?? '', fieldIdByAttnum: new Map(entries) }
}

export function sourceMappingProperties({ table, fieldIdByAttnum }: SourceMapping): Record<string, string> {
  return {
    [sourceTableProperty]: table,
    [sourceColumnsProperty]: stringifyJson(Object.fromEntries(fieldIdByAttnum)),
  }
}

function malformed(): FloeError {
  return new FloeError(
    'corrupt-data',
    `table property ${sourceColumnsProperty} is not a map of attnum to field id`,
    {
      hint: `remove the property to match columns by name, or load with --mode replace`,
    },
  )
}
