import type { ErrorData } from '@floe/iceberg'

/** From the caller to the thread: the input first, then at most one cancel. */
export type CallerMessage = { readonly kind: 'input'; readonly input: unknown } | { readonly kind: 'cancel' }

/** From the thread to the caller: any number of `progress`, then one of the others. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: ErrorData }
