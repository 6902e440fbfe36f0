import {
  compareValues,
  decodeSingleValue,
  isPrimitive,
  mustMatchFile,
  singleValueToJson,
  stringifyJson,
} from '@floe/iceberg'
import type { DataFile, NestedField, PrimitiveType, PrimitiveValue, Schema } from '@floe/iceberg'
import type { ScanPlan, ScanTask } from '@floe/planner'

import { knownName } from './metadata-aggregate.ts'
import type { AggregatePushdown, MetadataAggregate } from './metadata-aggregate.ts'
import { duckdbType, quoteText } from './sql-text.ts'

/** A plan without the files that metadata answers for, and the statement that makes the view of what it knows. */
export type AnsweredPlan = {
  readonly plan: ScanPlan
  readonly filesAnswered: number
  readonly knownSql: string
}

/**
 * Takes out of a plan the files whose part of every aggregate their metrics tell exactly: all of their rows match the
 * filter, none is deleted, and bounds and counts are there and are exact.
 */
export function answerFromMetadata(plan: ScanPlan, { index, aggregates }: AggregatePushdown): AnsweredPlan {
  const known = aggregates.map((aggregate) => new KnownAggregate(aggregate, plan.schema))
  const tasks = plan.tasks.filter((task) => {
    const parts = isWhole(task, plan.schema) ? known.map((each) => each.partOf(task.dataFile)) : [undefined]
    if (parts.includes(undefined)) return true
    for (const [at, each] of known.entries()) each.add(parts[at] ?? null)
    return false
  })
  const columns = known.map((each, at) => `${each.toSql()} AS a${at}`).join(', ')
  return {
    plan: { ...plan, tasks },
    filesAnswered: plan.tasks.length - tasks.length,
    knownSql: `CREATE TEMP VIEW ${knownName(index)} AS SELECT ${columns}`,
  }
}

function isWhole({ deletes, residual, dataFile }: ScanTask, schema: Schema): boolean {
  return deletes.length === 0 && (residual.kind === 'true' || mustMatchFile(residual, schema, dataFile))
}

/** Types whose bounds are the least and the greatest value themselves: texts and bytes may be cut, and old UUIDs unordered. */
const exactKinds: ReadonlySet<PrimitiveType['kind']> = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'decimal',
  'date',
  'time',
  'timestamp',
  'timestamptz',
])

class KnownAggregate {
  readonly #aggregate: MetadataAggregate
  readonly #field: NestedField | undefined
  #rows = 0
  #extreme: PrimitiveValue | undefined

  constructor(aggregate: MetadataAggregate, { fields }: Schema) {
    this.#aggregate = aggregate
    this.#field =
      aggregate.kind === 'count-rows' ? undefined : fields.find(({ id }) => id === aggregate.fieldId)
  }

  /** What a file adds: a count, an extreme, `null` for nothing; `undefined` when only its data can tell. */
  partOf(file: DataFile): PrimitiveValue | null | undefined {
    if (this.#aggregate.kind === 'count-rows') return file.recordCount
    const { kind, fieldId } = this.#aggregate
    const nulls = file.nullValueCounts?.get(fieldId)
    const values = file.valueCounts?.get(fieldId)
    // Counts of a list are of its elements, not of rows.
    if (nulls === undefined || values !== file.recordCount || nulls > values) return undefined
    const type = this.#field?.type
    if (type === undefined || !isPrimitive(type)) return undefined
    if (kind === 'count') return file.recordCount - nulls
    if (nulls === file.recordCount) return null
    return exactBound(type, file, fieldId, kind)
  }

  add(part: PrimitiveValue | null): void {
    const { kind } = this.#aggregate
    if (part === null) return
    if (kind === 'count-rows' || kind === 'count') this.#rows += part as number
    else if (this.#isBeyond(part, kind)) this.#extreme = part
  }

  #isBeyond(part: PrimitiveValue, kind: 'min' | 'max'): boolean {
    const type = this.#field?.type
    if (this.#extreme === undefined || type === undefined || !isPrimitive(type)) return true
    const order = compareValues(type, part, this.#extreme)
    return kind === 'min' ? order < 0 : order > 0
  }

  toSql(): string {
    const { kind } = this.#aggregate
    if (kind === 'count-rows' || kind === 'count') return `${this.#rows}::BIGINT`
    const type = this.#field?.type
    if (type === undefined || !isPrimitive(type)) return 'NULL'
    if (this.#extreme === undefined) return `CAST(NULL AS ${duckdbType(type)})`
    const json = singleValueToJson(type, this.#extreme)
    const text = typeof json === 'string' ? json : stringifyJson(json)
    return `CAST(${quoteText(text)} AS ${duckdbType(type)})`
  }
}

function exactBound(
  type: PrimitiveType,
  file: DataFile,
  fieldId: number,
  kind: 'min' | 'max',
): PrimitiveValue | undefined {
  const bytes = (kind === 'min' ? file.lowerBounds : file.upperBounds)?.get(fieldId)
  if (bytes === undefined || !exactKinds.has(type.kind)) return undefined
  const isFloating = type.kind === 'float' || type.kind === 'double'
  // DuckDB sorts NaN last, bounds leave it out.
  if (isFloating && file.nanValueCounts?.get(fieldId) !== 0) return undefined
  try {
    const value = decodeSingleValue(type, bytes)
    // A bound of zero may have been given the other sign (spec "Manifests", bounds of floats).
    return isFloating && (value === 0 || Number.isNaN(value)) ? undefined : value
  } catch {
    return undefined
  }
}
