import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyTransform } from './apply-transform.ts'
import { arbitraryValue, comparableTypes } from './arbitrary-value.ts'
import { bindExpression } from './bind-expression.ts'
import { truncateLowerBound, truncateUpperBound } from './bounds.ts'
import { compareValues } from './compare-values.ts'
import type { DataFile } from './data-file.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import {
  and,
  compare,
  equal,
  isIn,
  isNan,
  isNull,
  not,
  notIn,
  notNull,
  or,
  type Expression,
} from './expression.ts'
import {
  explainManifestMismatch,
  explainPartitionMismatch,
  mightMatchManifest,
  mightMatchPartition,
} from './manifest-evaluator.ts'
import type { FieldSummary } from './manifest-list.ts'
import { explainFileMismatch, mightMatchFile, mustMatchFile } from './metrics-evaluator.ts'
import { parsePartitionExpression } from './partition-expression.ts'
import { partitionType, type PartitionSpec } from './partition-spec.ts'
import { inclusiveProjection, strictProjection } from './projection.ts'
import { residualFor } from './residual.ts'
import { parseSchema, type Schema } from './schema.ts'
import { encodeSingleValue } from './single-value.ts'
import { canTransform, transformResultType } from './transform-type.ts'
import { parseTransform, transformToString, type Transform } from './transform.ts'
import { typeToString, type PrimitiveType, type PrimitiveValue } from './type.ts'

type Value = PrimitiveValue | null

const transforms = [
  'identity',
  'year',
  'month',
  'day',
  'hour',
  'void',
  'bucket[3]',
  'truncate[2]',
  'truncate[3]',
  'truncate[16]',
].map(parseTransform)
const cases = comparableTypes.flatMap((type) =>
  transforms.filter((transform) => canTransform(transform, type)).map((transform) => ({ type, transform })),
)

function oneColumn(type: PrimitiveType): Schema {
  return { schemaId: 0, fields: [{ id: 1, name: 'c', type, required: false }] }
}
function oneField(transform: Transform): PartitionSpec {
  return { specId: 0, fields: [{ sourceIds: [1], fieldId: 1000, name: 'p', transform }] }
}
function arbitraryRow(type: PrimitiveType): fc.Arbitrary<Value> {
  return fc.option(arbitraryValue(type), { freq: 6 })
}

/** Filters on the column with id 1 whose literals are often a row, so that edges are met. */
function arbitraryFilter(type: PrimitiveType, rows: readonly Value[]): fc.Arbitrary<Expression> {
  const near = rows.filter((row): row is PrimitiveValue => row !== null && !Number.isNaN(row))
  const literal = fc
    .oneof(arbitraryValue(type), ...(near.length > 0 ? [fc.constantFrom(...near)] : []))
    .filter((value) => !Number.isNaN(value))
  const operator = fc.constantFrom('lt', 'lt-eq', 'gt', 'gt-eq', 'eq', 'not-eq')
  const prefix = fc.constantFrom('starts-with', 'not-starts-with')
  const predicate: fc.Arbitrary<Expression> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(operator, literal).map(([kind, value]) => compare(1, kind, value)) },
    fc.array(literal, { maxLength: 3 }).map((values) => isIn(1, values)),
    fc.array(literal, { maxLength: 3 }).map((values) => notIn(1, values)),
    fc.constantFrom(isNull(1), notNull(1), isNan(1), not(isNan(1))),
    ...(type.kind === 'string'
      ? [
          fc.tuple(prefix, literal, fc.nat(4)).map(([kind, text, cut]) =>
            compare(
              1,
              kind,
              Array.from(text as string)
                .slice(0, cut)
                .join(''),
            ),
          ),
        ]
      : []),
  )
  return fc.letrec<{ node: Expression }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 4, arbitrary: predicate },
      { weight: 1, arbitrary: fc.tuple(tie('node'), tie('node')).map(([left, right]) => and(left, right)) },
      { weight: 1, arbitrary: fc.tuple(tie('node'), tie('node')).map(([left, right]) => or(left, right)) },
      { weight: 1, arbitrary: tie('node').map(not) },
    ),
  })).node
}

function rowsAndFilter(type: PrimitiveType): fc.Arbitrary<readonly [readonly Value[], Expression]> {
  return fc
    .array(arbitraryRow(type), { minLength: 1, maxLength: 5 })
    .chain((rows) => fc.tuple(fc.constant(rows), arbitraryFilter(type, rows)))
}

function matchesRow(expression: Expression, row: Value): boolean {
  return evaluateExpression(expression, () => row)
}

describe('projection through partition transforms', () => {
  it.each(
    cases.map(
      ({ type, transform }) => [transformToString(transform), typeToString(type), type, transform] as const,
    ),
  )(
    'of %s over %s never loses a matching row, and its strict form has no other',
    (_transform, _type, type, transform) => {
      const [schema, spec] = [oneColumn(type), oneField(transform)]
      fc.assert(
        fc.property(rowsAndFilter(type), ([rows, filter]) => {
          const bound = bindExpression(filter, schema)
          const [inclusive, strict] = [
            inclusiveProjection(bound, spec, schema),
            strictProjection(bound, spec, schema),
          ]
          for (const row of rows) {
            const partition = [applyTransform(transform, type, row)]
            const matches = matchesRow(bound, row)
            expect(matches).toBe(matchesRow(filter, row))
            if (matches) expect(mightMatchPartition(inclusive, spec, partition)).toBe(true)
            if (mightMatchPartition(strict, spec, partition)) expect(matches).toBe(true)
            expect(matchesRow(residualFor(bound, spec, schema, partition), row)).toBe(matches)
          }
        }),
        { numRuns: 150 },
      )
    },
  )

  const schema = parseSchema({
    fields: [
      { id: 1, name: 'ts', required: false, type: 'timestamp' },
      { id: 2, name: 'id', required: false, type: 'long' },
      { id: 3, name: 'name', required: false, type: 'string' },
    ],
  })

  it('is as sharp as the transform allows', () => {
    const spec = parsePartitionExpression('day(ts), bucket(4, id), truncate(2, name)', schema)
    const project = (filter: Expression): Expression =>
      inclusiveProjection(bindExpression(filter, schema), spec, schema)
    expect(project(compare('ts', 'lt', '2024-01-02'))).toEqual(compare(1000, 'lt-eq', 19723))
    expect(project(compare('ts', 'gt', '2024-01-01T23:59:59.999999'))).toEqual(compare(1000, 'gt-eq', 19724))
    expect(project(compare('id', 'gt', 5))).toEqual({ kind: 'true' })
    expect(project(equal('name', 'abc'))).toEqual(equal(1002, 'ab'))
    expect(project(compare('name', 'starts-with', 'a'))).toEqual(compare(1002, 'starts-with', 'a'))
    expect(project(not(compare('name', 'starts-with', 'abc')))).toEqual({ kind: 'true' })
  })

  it('meets partitions of Java writers that did not floor instants before 1970', () => {
    const spec = parsePartitionExpression('day(ts)', schema)
    const bound = bindExpression(equal('ts', '1969-12-30T12:00:00'), schema)
    const projected = inclusiveProjection(bound, spec, schema)
    expect([-3, -2, -1, 0].map((day) => mightMatchPartition(projected, spec, [day]))).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  it('keeps the rows at the lowest int, whose truncation wraps around', () => {
    const narrow = oneColumn({ kind: 'int' })
    const spec = oneField({ kind: 'truncate', width: 10 })
    const lowest = -(2 ** 31)
    const partition = [applyTransform({ kind: 'truncate', width: 10 }, { kind: 'int' }, lowest)]
    for (const filter of [compare('c', 'lt', 5), equal('c', lowest), compare('c', 'gt-eq', lowest)]) {
      expect(
        mightMatchPartition(
          inclusiveProjection(bindExpression(filter, narrow), spec, narrow),
          spec,
          partition,
        ),
      ).toBe(true)
    }
    const below = bindExpression(compare('c', 'lt', lowest), narrow)
    expect(inclusiveProjection(below, spec, narrow)).toEqual({ kind: 'false' })
    const above = strictProjection(bindExpression(compare('c', 'gt', 5), narrow), spec, narrow)
    expect(mightMatchPartition(above, spec, partition)).toBe(false)
  })

  it('says nothing through unknown, void and multi-argument transforms', () => {
    const filter = bindExpression(equal('id', 5), schema)
    for (const [transform, sourceIds] of [
      ['zorder', [2]],
      ['void', [2]],
      ['identity', [2, 3]],
      ['void', []],
    ] as const) {
      const spec = {
        specId: 0,
        fields: [{ sourceIds, fieldId: 1000, name: 'p', transform: parseTransform(transform) }],
      }
      expect(inclusiveProjection(filter, spec, schema)).toEqual({ kind: 'true' })
      expect(strictProjection(filter, spec, schema)).toEqual({ kind: 'false' })
    }
  })

  it('names the condition that ruled a partition out', () => {
    const spec = parsePartitionExpression('day(ts), bucket(4, id)', schema)
    const bound = bindExpression(and(equal('id', 5), compare('ts', 'gt', '2024-01-01')), schema)
    const bucket = applyTransform({ kind: 'bucket', count: 4 }, { kind: 'long' }, 5n)
    expect(explainPartitionMismatch(bound, spec, schema, [0, bucket])).toEqual(
      compare(1, 'gt', 1_704_067_200_000_000n),
    )
    expect(explainPartitionMismatch(bound, spec, schema, [19800, bucket])).toBeUndefined()
  })
})

function bytesOf(type: PrimitiveType, value: PrimitiveValue | undefined): ReadonlyMap<number, Uint8Array> {
  return new Map(value === undefined ? [] : [[1, encodeSingleValue(type, value)]])
}

function lowest(type: PrimitiveType, values: readonly PrimitiveValue[]): PrimitiveValue | undefined {
  return values.toSorted((a, b) => compareValues(type, a, b))[0]
}
function highest(type: PrimitiveType, values: readonly PrimitiveValue[]): PrimitiveValue | undefined {
  return values.toSorted((a, b) => compareValues(type, b, a))[0]
}

/** A data file as a writer would describe it that kept bounds of two characters. */
function fileOf(type: PrimitiveType, rows: readonly Value[]): DataFile {
  const values = rows.filter((row): row is PrimitiveValue => row !== null && !Number.isNaN(row))
  const [low, high] = [lowest(type, values), highest(type, values)]
  const cuts = type.kind === 'string' || type.kind === 'binary'
  const lower = cuts && low !== undefined ? truncateLowerBound(low as string, 2) : low
  const upper = cuts && high !== undefined ? truncateUpperBound(high as string, 2) : high
  return {
    content: 'data',
    filePath: 'f',
    fileFormat: 'parquet',
    specId: 0,
    partition: [],
    fileSizeInBytes: 1,
    recordCount: rows.length,
    valueCounts: new Map([[1, rows.length]]),
    nullValueCounts: new Map([[1, rows.filter((row) => row === null).length]]),
    ...(type.kind === 'float' || type.kind === 'double'
      ? { nanValueCounts: new Map([[1, rows.filter((row) => Number.isNaN(row)).length]]) }
      : {}),
    lowerBounds: bytesOf(type, lower),
    upperBounds: bytesOf(type, upper),
  }
}

describe('file metrics', () => {
  it.each(comparableTypes.map((type) => [typeToString(type), type] as const))(
    'of %s never rule out a file with a matching row, and vouch only for files full of them',
    (_name, type) => {
      const schema = oneColumn(type)
      fc.assert(
        fc.property(
          rowsAndFilter(type),
          fc.subarray([
            'valueCounts',
            'nullValueCounts',
            'nanValueCounts',
            'lowerBounds',
            'upperBounds',
          ] as const),
          ([rows, filter], missing) => {
            const bound = bindExpression(filter, schema)
            const file = {
              ...fileOf(type, rows),
              ...Object.fromEntries(missing.map((name) => [name, undefined])),
            } as DataFile
            const matching = rows.filter((row) => matchesRow(bound, row)).length
            const explained = explainFileMismatch(bound, schema, file)
            expect(explained === undefined).toBe(mightMatchFile(bound, schema, file))
            if (matching > 0) expect(explained).toBeUndefined()
            if (mustMatchFile(bound, schema, file)) expect(matching).toBe(rows.length)
          },
        ),
        { numRuns: 250 },
      )
    },
  )

  const schema = parseSchema({
    fields: [
      { id: 1, name: 'c', required: false, type: 'double' },
      { id: 2, name: 'new', required: true, type: 'int', 'initial-default': 5 },
      { id: 3, name: 's', required: false, type: 'string' },
    ],
  })
  const file = fileOf({ kind: 'double' }, [1, 2, 3])

  it('are used: bounds, null counts and NaN counts each rule files out, and are named', () => {
    const bound = bindExpression(and(notNull('c'), compare('c', 'gt', 3)), schema)
    expect(explainFileMismatch(bound, schema, file)).toEqual(compare(1, 'gt', 3))
    for (const filter of [
      isNull('c'),
      isNan('c'),
      equal('c', 0.5),
      isIn('c', [0, 4]),
      compare('c', 'lt', 1),
    ]) {
      expect(mightMatchFile(bindExpression(filter, schema), schema, file)).toBe(false)
    }
    expect(mustMatchFile(bindExpression(compare('c', 'lt-eq', 3), schema), schema, file)).toBe(true)
    const text = oneColumn({ kind: 'string' })
    const prefixed = (prefix: string): Expression => bindExpression(compare('c', 'starts-with', prefix), text)
    const texts = fileOf({ kind: 'string' }, ['b', 'bad'])
    expect(
      ['a', 'b', 'ba', 'c', 'bb'].map((prefix) => mightMatchFile(prefixed(prefix), text, texts)),
    ).toEqual([false, true, true, false, true])
    expect(mightMatchFile(bindExpression(not(prefixed('b')), text), text, texts)).toBe(false)
    expect(mustMatchFile(prefixed('b'), text, texts)).toBe(true)
    expect(
      mightMatchFile(
        bindExpression(compare('c', 'not-eq', 2), schema),
        schema,
        fileOf({ kind: 'double' }, [2, 2]),
      ),
    ).toBe(false)
  })

  it('keep a file with NaN for a query engine that sorts NaN above every number', () => {
    const bound = bindExpression(compare('c', 'gt', 100), schema)
    expect(mightMatchFile(bound, schema, fileOf({ kind: 'double' }, [1, Number.NaN]))).toBe(true)
    expect(mightMatchFile(bound, schema, fileOf({ kind: 'double' }, [1, 2]))).toBe(false)
    const { nanValueCounts: _unknown, ...uncounted } = fileOf({ kind: 'double' }, [1, 2])
    expect(mightMatchFile(bound, schema, uncounted)).toBe(true)
  })

  it('do not exist for a column newer than the file, whose rows read its initial default', () => {
    expect(mightMatchFile(bindExpression(equal('new', 5), schema), schema, file)).toBe(true)
    expect(mustMatchFile(bindExpression(equal('new', 5), schema), schema, file)).toBe(false)
  })

  it('of a file older than a promotion are read in their old width', () => {
    const wide = oneColumn({ kind: 'long' })
    const old = fileOf({ kind: 'int' }, [-2, 7])
    expect(mightMatchFile(bindExpression(compare('c', 'gt', 7), wide), wide, old)).toBe(false)
    expect(mightMatchFile(bindExpression(compare('c', 'lt', -1), wide), wide, old)).toBe(true)
    const dated = oneColumn({ kind: 'timestamp' })
    const days = fileOf({ kind: 'date' }, [1, 2])
    expect(mightMatchFile(bindExpression(compare('c', 'gt', '1970-01-03'), dated), dated, days)).toBe(false)
    expect(mightMatchFile(bindExpression(equal('c', '1970-01-03'), dated), dated, days)).toBe(true)
  })

  it('that cannot be right count as unknown: cut characters, upside-down or NaN bounds', () => {
    const text = oneColumn({ kind: 'string' })
    const broken = {
      ...fileOf({ kind: 'string' }, ['x']),
      upperBounds: new Map([[1, Uint8Array.of(0x61, 0xc3)]]),
      lowerBounds: new Map([[1, Uint8Array.of(0xc3)]]),
    }
    expect(mightMatchFile(bindExpression(equal('c', 'x'), text), text, broken)).toBe(true)
    const ids = oneColumn({ kind: 'uuid' })
    const [low, high] = ['0f9c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7']
    const signed = {
      ...file,
      lowerBounds: bytesOf({ kind: 'uuid' }, high),
      upperBounds: bytesOf({ kind: 'uuid' }, low),
    }
    expect(mightMatchFile(bindExpression(equal('c', low), ids), ids, signed)).toBe(true)
    const nan = { ...file, lowerBounds: bytesOf({ kind: 'double' }, Number.NaN) }
    expect(mightMatchFile(bindExpression(compare('c', 'lt', 0), schema), schema, nan)).toBe(true)
  })

  it('rule out a file without rows for every filter', () => {
    expect(mightMatchFile(notNull(1), schema, { ...file, recordCount: 0 })).toBe(false)
  })
})

describe('manifest summaries', () => {
  it.each(
    cases.map(
      ({ type, transform }) => [transformToString(transform), typeToString(type), type, transform] as const,
    ),
  )(
    'of %s over %s never rule out a manifest that lists a matching row',
    (_transform, _type, type, transform) => {
      const [schema, spec] = [oneColumn(type), oneField(transform)]
      const result = transformResultType(transform, type)
      fc.assert(
        fc.property(rowsAndFilter(type), ([rows, filter]) => {
          const bound = bindExpression(filter, schema)
          const summary = summaryOf(
            result,
            rows.map((row) => applyTransform(transform, type, row)),
          )
          const might = mightMatchManifest(
            inclusiveProjection(bound, spec, schema),
            partitionType(spec, schema),
            [summary],
          )
          if (rows.some((row) => matchesRow(bound, row))) {
            expect(might).toBe(true)
            expect(explainManifestMismatch(bound, spec, schema, [summary])).toBeUndefined()
          }
          expect(explainManifestMismatch(bound, spec, schema, [summary]) === undefined).toBe(might)
        }),
        { numRuns: 60 },
      )
    },
  )

  function summaryOf(type: PrimitiveType, partitions: readonly Value[]): FieldSummary {
    const values = partitions.filter(
      (value): value is PrimitiveValue => value !== null && !Number.isNaN(value),
    )
    const [low, high] = [lowest(type, values), highest(type, values)]
    return {
      containsNull: partitions.includes(null),
      containsNan: partitions.some((value) => Number.isNaN(value)),
      ...(low === undefined ? {} : { lowerBound: encodeSingleValue(type, low) }),
      ...(high === undefined ? {} : { upperBound: encodeSingleValue(type, high) }),
    }
  }

  const schema = oneColumn({ kind: 'int' })
  const spec = oneField({ kind: 'identity' })
  const might = (filter: Expression, summary: FieldSummary | undefined): boolean =>
    mightMatchManifest(
      inclusiveProjection(bindExpression(filter, schema), spec, schema),
      partitionType(spec, schema),
      summary && [summary],
    )

  it('without bounds mean nulls only where nulls are said, and nothing known elsewhere', () => {
    expect(might(equal('c', 5), { containsNull: true, containsNan: false })).toBe(false)
    expect(might(isNull('c'), { containsNull: true, containsNan: false })).toBe(true)
    expect(might(equal('c', 5), { containsNull: false })).toBe(true)
    expect(might(isNull('c'), { containsNull: false })).toBe(true)
    expect(might(equal('c', 5), undefined)).toBe(true)
  })

  it('are used: a manifest outside the bounds is ruled out and the condition is named', () => {
    const summary = summaryOf({ kind: 'int' }, [3, 9])
    const bound = bindExpression(and(notNull('c'), compare('c', 'gt', 9)), schema)
    expect(explainManifestMismatch(bound, spec, schema, [summary])).toEqual(compare(1, 'gt', 9))
    expect(might(isNull('c'), summary)).toBe(false)
    expect(might(equal('c', 3), summary)).toBe(true)
  })
})
