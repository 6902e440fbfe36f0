import { alwaysFalse, alwaysTrue, type Expression } from './expression.ts'
import { mightMatchPartition } from './manifest-evaluator.ts'
import type { Partition, PartitionSpec } from './partition-spec.ts'
import { inclusiveProjection, strictProjection } from './projection.ts'
import type { Schema } from './schema.ts'
import { mapPredicates } from './walk-expression.ts'

/** What of a bound row filter is still to be tested on the rows of one partition: the rest follows from its values. */
export function residualFor(
  bound: Expression,
  spec: PartitionSpec,
  schema: Schema,
  partition: Partition,
): Expression {
  return mapPredicates(bound, (predicate) => {
    if (mightMatchPartition(strictProjection(predicate, spec, schema), spec, partition)) return alwaysTrue
    const possible = mightMatchPartition(inclusiveProjection(predicate, spec, schema), spec, partition)
    return possible ? predicate : alwaysFalse
  })
}
