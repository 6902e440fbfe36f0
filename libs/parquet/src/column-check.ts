import { FloeError } from '@floe/iceberg/values'
import type { LeafColumn } from './column.ts'
import type { Leaf } from './file-schema.ts'

/** @throws FloeError `invalid-input` when counts, levels or layout contradict the leaf or the batch */
export function checkColumn(leaf: Leaf, column: LeafColumn, rowCount: number): void {
  const problem = findProblem(leaf, column, rowCount)
  if (problem !== undefined) throw new FloeError('invalid-input', `column ${leaf.name}: ${problem}`)
}

function findProblem(leaf: Leaf, column: LeafColumn, rowCount: number): string | undefined {
  const { levelCount, valueCount, values } = column
  if (column.fieldId !== leaf.fieldId)
    return `field id ${column.fieldId} where the schema has ${leaf.fieldId}`
  if (leaf.repetitionLevelMax === 0 && levelCount !== rowCount)
    return `${levelCount} entries in ${rowCount} rows`
  if (leaf.repetitionLevelMax > 0 && column.repetitionLevels === undefined)
    return 'repetition levels are missing'
  if (valueCount < levelCount && column.definitionLevels === undefined) return 'definition levels are missing'
  if (valueCount < levelCount && leaf.definitionLevelMax === 0) return 'a required column has nulls'
  const layout = values.layout === 'dictionary' ? 'bytes' : values.layout
  if (layout !== leaf.physical) return `layout ${values.layout} where ${leaf.physical} is stored`
  if (values.layout === 'fixed' && values.width !== leaf.width) {
    return `values of ${values.width} bytes where ${leaf.width} are stored`
  }
  return undefined
}
