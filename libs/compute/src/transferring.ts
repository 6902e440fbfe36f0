import type { Transferable } from 'node:worker_threads'

const transfers = new WeakMap<object, readonly Transferable[]>()

/** Marks a task's result: the buffers of `transfer` are moved to the caller, not copied. Returns `value` itself. */
export function transferring<T>(value: T, transfer: readonly Transferable[]): T {
  if (typeof value === 'object' && value !== null) transfers.set(value, transfer)
  return value
}

export function transferOf(value: unknown): readonly Transferable[] {
  return typeof value === 'object' && value !== null ? (transfers.get(value) ?? []) : []
}
