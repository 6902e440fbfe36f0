import { FloeError } from '@floe/iceberg/values'

/** What is kept of a column's metrics: table property `write.metadata.metrics.*`. */
export type MetricsMode =
  | { readonly kind: 'none' | 'counts' | 'full' }
  /** Bounds of strings in code points, of binary and fixed in bytes; other types are kept whole. */
  | { readonly kind: 'truncate'; readonly length: number }

export type MetricsSettings = {
  readonly default: MetricsMode
  /** By dotted Iceberg name, e.g. `address.city`. */
  readonly columns?: Readonly<Record<string, MetricsMode>>
}

/** Iceberg's own default, `truncate(16)`. */
export const metricsDefault: MetricsSettings = { default: { kind: 'truncate', length: 16 } }

/**
 * A mode as table properties spell it: `none`, `counts`, `full` or `truncate(n)`, in any case.
 * @throws FloeError `invalid-input`
 */
export function parseMetricsMode(text: string): MetricsMode {
  const lower = text.trim().toLowerCase()
  if (lower === 'none' || lower === 'counts' || lower === 'full') return { kind: lower }
  const length = Number(/^truncate\((\d{1,9})\)$/.exec(lower)?.[1] ?? 0)
  if (length > 0) return { kind: 'truncate', length }
  throw new FloeError('invalid-input', `metrics mode '${text}' is not known`, {
    hint: 'use none, counts, full or truncate(n) with n of at least 1',
  })
}

export function metricsModeOf(settings: MetricsSettings, column: string): MetricsMode {
  const own = settings.columns
  return own !== undefined && Object.hasOwn(own, column)
    ? (own[column] ?? settings.default)
    : settings.default
}
