import { contentFileToJson, currentSchema, expressionToJson, FloeError, parseScanFilter } from '@floe/iceberg'
import type { ContentFileJsonOptions, DataFile, Expression, JsonObject, JsonValue } from '@floe/iceberg'
import type { Schema, TableMetadata } from '@floe/iceberg'
import type { ScanTask } from '@floe/planner'
import type { ScanQuery } from './plan-request.ts'

/** Spec `ScanTasks`: tasks name their delete files by index, and the list holds those that are named. */
export function scanTasksToJson(
  tasks: readonly ScanTask[],
  query: ScanQuery,
  metadata: TableMetadata,
  schema: Schema,
): JsonObject {
  const statsFieldIds = new Set(query.statsFieldIds)
  const optionsOf = contentFileOptions(metadata, statsFieldIds)
  // By object, not by path: one Puffin file holds the deletion vectors of many data files.
  const deletes = new Map<DataFile, number>()
  const residualOf = residualWriter(query, schema)
  const fileTasks = tasks.map(({ dataFile, deletes: own, residual }) => {
    for (const file of own) if (!deletes.has(file)) deletes.set(file, deletes.size)
    return {
      'data-file': contentFileToJson(dataFile, optionsOf(dataFile)),
      ...(own.length === 0 ? {} : { 'delete-file-references': own.map((file) => deletes.get(file) ?? 0) }),
      'residual-filter': residualOf(residual),
    }
  })
  const deleteFiles = [...deletes.keys()].map((file) => contentFileToJson(file, optionsOf(file)))
  return {
    // Clients refuse delete files without tasks that name them.
    ...(deleteFiles.length === 0 ? {} : { 'delete-files': deleteFiles }),
    'file-scan-tasks': fileTasks,
  }
}

function contentFileOptions(
  metadata: TableMetadata,
  statsFieldIds: ReadonlySet<number>,
): (file: DataFile) => ContentFileJsonOptions {
  const schema = currentSchema(metadata)
  const specs = new Map(metadata.partitionSpecs.map((spec) => [spec.specId, { schema, spec, statsFieldIds }]))
  return ({ specId }) => {
    const options = specs.get(specId)
    if (options !== undefined) return options
    throw new FloeError('corrupt-data', `a file names the partition spec ${specId}, which the table lacks`)
  }
}

/**
 * Residuals are always sent, and in the older spelling: Java's client fails on a task without one, and clients from
 * before the expressions spec know no other. Of a filter that was widened for planning the client's own is sent back.
 */
function residualWriter({ filter }: ScanQuery, schema: Schema): (residual: Expression) => JsonValue {
  if (filter !== undefined && !parseScanFilter(filter).isExact) return () => filter
  const written = new Map<Expression, JsonValue>()
  return (residual) => {
    const known = written.get(residual)
    if (known !== undefined) return known
    const json = expressionToJson(residual, { schema })
    written.set(residual, json)
    return json
  }
}
