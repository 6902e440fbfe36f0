import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const bin = (name: string): string => path.join(checkout, 'node_modules', '.bin', name)
const probes: string[] = []

/** Lints one file with the project's configuration. Gives the output, empty when nothing is wrong. */
async function lint(folder: string, text: string): Promise<string> {
  const probe = path.join(checkout, folder, 'src', `import-probe-${process.pid}.ts`)
  probes.push(probe)
  await writeFile(probe, text)
  try {
    await run(bin('oxlint'), [probe], { cwd: checkout })
    return ''
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  } finally {
    await rm(probe, { force: true })
  }
}

beforeAll(async () => {
  const env = { ...process.env, NX_DAEMON: 'false' }
  await run(bin('nx'), ['graph', '--file=.nx/graph.json'], { cwd: checkout, env })
})
afterAll(async () => {
  await Promise.all(probes.map((probe) => rm(probe, { force: true })))
})

describe('npm run check', () => {
  it('fails for an import that the table of layers forbids', async () => {
    const sibling = await lint('libs/planner', `export { planColumns } from '@floe/postgres'\n`)
    expect(sibling).toContain('enforce-module-boundaries')
    const upward = await lint('libs/iceberg', `export { openObjectStore } from '@floe/storage'\n`)
    expect(upward).toContain('enforce-module-boundaries')
  })

  it('fails for a second importer of a package that has one', async () => {
    const adapters = await lint('libs/etl', `export { openSqlCatalog } from '@floe/catalog/sql'\n`)
    expect(adapters).toContain('no-restricted-imports')
    expect(await lint('libs/etl', `export { Piscina } from 'piscina'\n`)).toContain('no-restricted-imports')
  })

  it('passes for an import that the table allows', async () => {
    expect(await lint('libs/planner', `export type { ObjectStore } from '@floe/storage'\n`)).toBe('')
  })
})
