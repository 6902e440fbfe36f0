import { createHash } from 'node:crypto'
import { partitionSpecToJson, schemaToJson, sortOrderToJson, stringifyJson } from '@floe/iceberg'
import type { JsonValue } from '@floe/iceberg'
import type { SourceType } from '@floe/postgres'
import { commitTokenProperty } from '@floe/writer'
import type { LoadTarget } from './load-target.ts'
import type { PlannedTable } from './plan-table.ts'
import { positionProperty } from './source-position.ts'

/** What decides the content of a load's files, by the name it has for users: files of one plan are good for an equal one. */
export function fingerprintOf(
  { request, source, columns }: PlannedTable,
  { base, metadata, schema, fileSchema, spec, sortOrder }: LoadTarget,
): Readonly<Record<string, string>> {
  const isNew = base.metadataLocation === undefined
  const { [positionProperty]: _, [commitTokenProperty]: _token, ...properties } = metadata.properties
  return {
    mode: request.mode,
    table: isNew ? 'new' : base.metadata.tableUuid,
    // Types are in it whole: labels of enums are read as they are named at the time.
    columns: digest({ columns, source: source.columns }),
    schema: digest([schemaToJson(schema), schemaToJson(fileSchema), metadata.formatVersion]),
    partitioning: digest(partitionSpecToJson(spec)),
    'sort order': digest(sortOrderToJson(sortOrder)),
    properties: digest(Object.entries(properties).toSorted(([left], [right]) => (left < right ? -1 : 1))),
  }
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(stringifyJson(value as JsonValue))
    .digest('hex')
    .slice(0, 32)
}

/** Parts of two plans that differ. */
export function differingParts(
  left: Readonly<Record<string, string>>,
  right: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].filter(
    (name) => left[name] !== right[name],
  )
}

/** Types whose text names other things of the database, which may be renamed while the row stays as it is. */
const namingTypes = /^(reg[a-z]+|aclitem)$/

/**
 * Why finished chunks of a load could not be told to be still what the source holds, should it be killed; `undefined`
 * when they can.
 */
export function whyNotResumable({ request, source, steps, mergeKey }: PlannedTable): string | undefined {
  if (request.resume === false) return 'it was asked not to be'
  if (request.where !== undefined) return 'a condition chooses the rows, and may choose others later'
  if (source.kind !== 'table' && source.kind !== 'partitioned')
    return `a ${source.kind} has no row versions of its own`
  if (mergeKey.length > 0 || steps.length > 1 || (request.mode === 'incremental' && hasFilters(steps)))
    return 'an incremental load goes on behind its last commit'
  const computed = source.columns.find(({ virtual }) => virtual === true)
  if (computed !== undefined) return `column ${computed.name} is computed when it is read`
  const naming = source.columns.find(({ type }) => namesOthers(type))
  if (naming !== undefined) return `column ${naming.name} shows names that may change without the row`
  if (hasFilters(steps)) return 'ranges of a column may hold other rows later'
  if (source.leaves.some(({ kind }) => kind === 'foreign'))
    return 'a foreign partition has no row versions of its own'
  if (steps.some(({ chunks }) => chunks.some(({ kind }) => kind === 'whole')))
    return 'PostgreSQL before 14 scans no ranges of ctid'
  return undefined
}

function hasFilters(steps: PlannedTable['steps']): boolean {
  return steps.some(({ chunks }) => chunks.some(({ filter }) => filter !== undefined))
}

function namesOthers(type: SourceType): boolean {
  switch (type.kind) {
    case 'base':
    case 'pseudo':
      return type.schema === 'pg_catalog' && namingTypes.test(type.name)
    case 'composite':
      return type.fields.some((field) => namesOthers(field.type))
    case 'array':
      return namesOthers(type.element)
    case 'range':
    case 'multirange':
      return namesOthers(type.subtype)
    case 'enum':
      return false
  }
}
