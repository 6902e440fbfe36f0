import type { LeafColumn } from './column.ts'

/** The definition level that stands for a value: the highest one that occurs, -1 when there is no value at all. */
export function definitionLevelOfValues(column: LeafColumn): number {
  const { definitionLevels, levelCount, valueCount } = column
  if (definitionLevels === undefined || valueCount === 0) return -1
  let max = 0
  for (let entry = 0; entry < levelCount; entry++) {
    const level = definitionLevels[entry] as number
    if (level > max) max = level
  }
  return max
}
