import { FloeError } from '@floe/iceberg/values'

import type { TaskFunction } from './task.ts'
import { taskName } from './task.ts'

/** The default export of the module. The import cache of the thread makes every call but the first one cheap. */
export async function loadTask(moduleUrl: string): Promise<TaskFunction<unknown, unknown, unknown>> {
  const module = await importModule(moduleUrl)
  if (typeof module.default !== 'function') {
    throw new FloeError('internal', `task ${taskName(moduleUrl)} has no function as its default export`)
  }
  return module.default as TaskFunction<unknown, unknown, unknown>
}

async function importModule(moduleUrl: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(moduleUrl)) as { readonly default?: unknown }
  } catch (error) {
    // The cause does not cross the thread boundary, so the message carries its words.
    const reason = error instanceof Error ? error.message : String(error)
    throw new FloeError('internal', `task ${taskName(moduleUrl)} cannot be loaded: ${reason}`, {
      cause: error,
    })
  }
}
