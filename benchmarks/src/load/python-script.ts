import { fileURLToPath } from 'node:url'

/** A peer's script of this folder's `python`; each takes one argument, JSON. */
export function pythonScript(name: string): string {
  return fileURLToPath(new URL(`../../python/${name}.py`, import.meta.url))
}
