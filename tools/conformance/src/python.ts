import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPyIceberg } from '@floe/peers'

const run = promisify(execFile)

/** Bytes of output that a script may print. */
const outputBytesMax = 256 * 1024 * 1024

/** Runs a script of tools/conformance/python with PyIceberg and gives its stdout. Keys of this machine stay out of it. */
export async function runPython(
  script: string,
  args: readonly string[],
  install: () => Promise<string> = installPyIceberg,
): Promise<string> {
  const python = await install()
  const file = fileURLToPath(new URL(`../python/${script}`, import.meta.url))
  const { stdout } = await run(python, [file, ...args], {
    maxBuffer: outputBytesMax,
    // One thread: s3fs 2026.9 sends a request unsigned now and then when two threads make its client at once.
    env: { ...withoutKeys(), AWS_EC2_METADATA_DISABLED: 'true', PYICEBERG_MAX_WORKERS: '1' },
  })
  return stdout
}

function withoutKeys(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')))
}

/** The rows that a script printed, one JSON object a line. */
export function parseRows(output: string): readonly Readonly<Record<string, unknown>>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}
