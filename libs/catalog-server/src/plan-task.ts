import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import { parseJson, stringifyJson } from '@floe/iceberg'
import { scanQuery, scanQueryToJson } from './plan-request.ts'
import type { ScanQuery } from './plan-request.ts'

/** First and last position of data manifests, the last included. */
type Range = readonly [number, number]

/**
 * A piece of a plan, whole in its token: the server keeps nothing for it, so that it outlives a restart. It can name
 * nothing but manifests of a snapshot of the table that it is asked for at, so that a forged one gains nothing.
 */
export type PlanTask = {
  /** Uuid of the table, and the plan that the task is a part of. */
  readonly table: string
  readonly plan: string
  readonly query: ScanQuery
  readonly ranges: readonly Range[]
  /** Manifests that positions count over: another number means another version. */
  readonly total: number
  /** File scan tasks of these manifests that were given before. */
  readonly skip: number
}

const position = z.int().nonnegative()
const planTask: z.ZodType<PlanTask> = z.object({
  v: z.literal(1),
  table: z.string(),
  plan: z.string(),
  query: scanQuery,
  ranges: z.array(z.tuple([position, position])),
  total: z.int(),
  skip: z.int().nonnegative(),
})

/** Bytes that a token may unfold to: more than a whole request body. */
const tokenBytesMax = 64 * 1024 * 1024

/** Spec `PlanTask`: an opaque string. */
export function encodePlanTask({ query, ranges, ...rest }: PlanTask): string {
  const text = stringifyJson({ v: 1, ...rest, query: scanQueryToJson(query), ranges })
  return deflateRawSync(text).toString('base64url')
}

/** Inverse of `encodePlanTask`; `undefined` for what is no token. */
export function decodePlanTask(token: string): PlanTask | undefined {
  try {
    const text = inflateRawSync(Buffer.from(token, 'base64url'), { maxOutputLength: tokenBytesMax })
    return planTask.parse(parseJson(text.toString('utf8')))
  } catch {
    return undefined
  }
}

/** Positions in order as ranges. */
export function rangesOf(positions: readonly number[]): readonly Range[] {
  const ranges: [number, number][] = []
  for (const position of positions) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] + 1 === position) last[1] = position
    else ranges.push([position, position])
  }
  return ranges
}

/** Inverse of `rangesOf`; `undefined` for positions that there are not. */
export function positionsOf({ ranges, total }: PlanTask): ReadonlySet<number> | undefined {
  const positions = new Set<number>()
  for (const [first, last] of ranges) {
    if (last >= total || first > last) return undefined
    for (let position = first; position <= last; position++) positions.add(position)
  }
  return positions
}
