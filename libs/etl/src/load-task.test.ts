import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** Prints the modules that are read when the task of a load is. */
const list = `import { registerHooks } from 'node:module'
const seen = []
registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) })
await import(process.argv[1])
process.stdout.write(JSON.stringify(seen))`

it('starts a worker without the codecs of manifests, the pool or the client of S3', () => {
  const task = new URL('./load.task.ts', import.meta.url).href
  const args = ['--input-type=module', '--eval', list, task]
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const modules = JSON.parse(
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }),
  ) as string[]
  expect(modules).toContain(task)
  expect(modules.filter((url) => /node_modules\/(avsc|fflate|piscina|@aws-sdk)\//.test(url))).toEqual([])
})
