import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the checkout. */
export const checkout: string = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

const floe = path.join(checkout, 'apps', 'cli', 'bin', 'floe.cjs')

/** What is printed before a command, so that a reader can run the same. Passwords never appear on a terminal. */
function commandLine(args: readonly string[]): string {
  const shown = args.map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `"${arg.replaceAll(/(["$`\\])/g, '\\$1')}"`,
  )
  return `$ npx floe ${shown.join(' ').replace(/(postgres(?:ql)?:\/\/[^:@\s]+):[^@\s]+@/, '$1:***@')}`
}

/** Runs one `floe` command as a user would, shows it, passes its output on and gives its stdout. */
export async function runFloe(args: readonly string[]): Promise<string> {
  process.stdout.write(`\n${commandLine(args)}\n`)
  return captureFloe(args, (text) => process.stdout.write(text))
}

/** The same for output that is read here: nothing of it is shown. */
export async function readFloe(args: readonly string[]): Promise<string> {
  return captureFloe(args, () => undefined)
}

async function captureFloe(args: readonly string[], onText: (text: string) => void): Promise<string> {
  const child = spawn(process.execPath, [floe, ...args], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    output += text
    onText(text)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`floe ${args[0]} ended with exit code ${code}`)
  return output
}
