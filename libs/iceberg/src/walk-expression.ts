import { and, or, type Expression, type Predicate } from './expression.ts'
import { rewriteNot } from './rewrite-not.ts'

/** The expression with every predicate replaced; constants are folded, negations pushed down first. */
export function mapPredicates(
  expression: Expression,
  replace: (predicate: Predicate) => Expression,
): Expression {
  switch (expression.kind) {
    case 'true':
    case 'false':
      return expression
    case 'and':
      return and(mapPredicates(expression.left, replace), mapPredicates(expression.right, replace))
    case 'or':
      return or(mapPredicates(expression.left, replace), mapPredicates(expression.right, replace))
    case 'not':
      return mapPredicates(rewriteNot(expression), replace)
    case 'unary':
    case 'literal':
    case 'set':
      return replace(expression)
  }
}

/** Whether the expression holds when `holds` answers for its predicates; negations are pushed down first. */
export function testPredicates(expression: Expression, holds: (predicate: Predicate) => boolean): boolean {
  switch (expression.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and':
      return testPredicates(expression.left, holds) && testPredicates(expression.right, holds)
    case 'or':
      return testPredicates(expression.left, holds) || testPredicates(expression.right, holds)
    case 'not':
      return testPredicates(rewriteNot(expression), holds)
    case 'unary':
    case 'literal':
    case 'set':
      return holds(expression)
  }
}

/** The parts that must all hold, left to right. */
export function conjuncts(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'and') return [expression]
  return [...conjuncts(expression.left), ...conjuncts(expression.right)]
}

/** The first conjunct that cannot match, or `undefined` when the whole might. */
export function findMismatch(
  expression: Expression,
  mightMatch: (conjunct: Expression) => boolean,
): Expression | undefined {
  return conjuncts(expression).find((conjunct) => !mightMatch(conjunct))
}
