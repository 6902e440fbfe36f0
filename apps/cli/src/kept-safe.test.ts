import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runFloe } from './testing/run-floe.ts'
import type { Finished } from './testing/run-floe.ts'
import { runSteps } from './testing/run-steps.ts'
import { serveFloe } from './testing/serve-floe.ts'

const bootstrap = 'a-bootstrap-token-of-some-length'
/** Each step is a process of its own. */
const stepsMsMax = 240_000

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-safe-'))
  await writeFile(path.join(folder, 'floe.config.yaml'), 'dropRetentionSeconds: 3600\n')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

type Env = Readonly<Record<string, string>>

/** Commands that must succeed; what each has printed. */
async function floe(lines: readonly string[], env: Env = {}): Promise<readonly string[]> {
  const finished = await runSteps(lines, { cwd: folder, env })
  for (const [at, { code, stderr }] of finished.entries())
    expect({ code, stderr }, lines[at]).toEqual({ code: 0, stderr: expect.any(String) })
  return finished.map(({ stdout }) => stdout)
}

type Row = Readonly<Record<string, unknown>>

/** Rows of the last of the commands. */
async function rows(lines: readonly string[], env: Env = {}): Promise<readonly Row[]> {
  const printed = await floe([...lines.slice(0, -1), `${lines.at(-1)} --output json`], env)
  return JSON.parse(printed.at(-1) ?? '') as Row[]
}

/** Rows of every one of them. */
async function rowsOfEach(lines: readonly string[], env: Env = {}): Promise<readonly (readonly Row[])[]> {
  const printed = await floe(
    lines.map((line) => `${line} --output json`),
    env,
  )
  return printed.map((text) => JSON.parse(text) as Row[])
}

async function refusals(lines: readonly string[], env: Env = {}): Promise<readonly Finished[]> {
  return runSteps(lines, { cwd: folder, env })
}

/** A table `shop.orders` with a metadata file alone: made by a server, registered here. */
async function makeTable(): Promise<string> {
  await using server = await serveFloe(['--role', 'catalog'], { cwd: folder, env: {} })
  const namespaces = `${server.url}/v1/namespaces`
  const post = (url: string, body: unknown): Promise<Response> =>
    fetch(url, { method: 'POST', body: JSON.stringify(body) })
  await post(namespaces, { namespace: ['shop'] })
  const table = { name: 'orders', schema: { type: 'struct', fields: [] } }
  const answer = await (await post(`${namespaces}/shop/tables`, table)).json()
  return (answer as { readonly 'metadata-location': string })['metadata-location']
}

async function metadataFiles(): Promise<number> {
  const names = await readdir(path.join(folder, '.floe', 'warehouse'), { recursive: true })
  return names.filter((name) => name.endsWith('.metadata.json')).length
}

describe('floe on its own catalog', () => {
  it(
    'drops a table, brings it back, and ends its retention with the files of a purge',
    async () => {
      await makeTable()
      const [dropped] = await rows(['table drop shop.orders --purge', 'table dropped --namespace shop'])
      expect(dropped).toMatchObject({
        name: 'shop.orders',
        kind: 'table',
        dropped_by: 'anonymous',
        purge: true,
      })
      expect(await rows(['table undrop shop.orders --as shop.back', 'table list'])).toEqual([
        { namespace: 'shop', table: 'back' },
      ])
      const [none] = await refusals(['table undrop shop.orders'])
      expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('floe table dropped') })
      expect(await rows(['table drop shop.back --purge', 'table expire-dropped'])).toEqual([])
      expect(await metadataFiles()).toBe(1)
      await floe([`table expire-dropped ${String(dropped?.['uuid'])}`])
      expect([await metadataFiles(), await rows(['table dropped'])]).toEqual([0, []])
    },
    stepsMsMax,
  )

  it(
    'protects, renames, registers and unregisters tables, changes namespaces, and has all of it in the log',
    async () => {
      const location = await makeTable()
      const [, refused] = await refusals(['table protect shop.orders', 'table drop shop.orders'])
      expect(refused).toMatchObject({ code: 12, stderr: expect.stringContaining('floe table unprotect') })
      const printed = await floe([
        'table unprotect shop.orders',
        'table rename shop.orders shop.sales',
        'table unregister shop.sales',
        `table register shop.orders ${location}`,
        'namespace create shop.eu --property owner=ada',
        'namespace set shop.eu region=west --remove owner',
        'namespace protect shop.eu',
      ])
      expect(printed[2]).toBe(`${location}\n`)
      expect(await rows(['namespace show shop.eu'])).toEqual(
        expect.arrayContaining([
          { name: 'protected', value: 'true' },
          { name: 'property region', value: 'west' },
        ]),
      )
      expect((await refusals(['namespace drop shop.eu']))[0]?.code).toBe(12)
      const left = await rows(['namespace unprotect shop.eu', 'namespace drop shop.eu', 'namespace list'])
      expect(left).toEqual([{ namespace: 'shop' }])
      const [log = [], own, latest] = await rowsOfEach([
        'audit',
        'audit --table shop.orders --action register --since 1h',
        'audit --limit 1',
      ])
      expect(log.map(({ action, name }) => `${String(action)} ${String(name)}`)).toEqual([
        'create shop',
        'create shop.orders',
        'protect shop.orders',
        'unprotect shop.orders',
        'rename shop.orders',
        'unregister shop.sales',
        'register shop.orders',
        'create shop.eu',
        'update shop.eu',
        'protect shop.eu',
        'unprotect shop.eu',
        'drop shop.eu',
      ])
      expect(own).toMatchObject([{ sequence: 7, principal: 'anonymous', metadata_after: location }])
      expect(latest).toMatchObject([{ sequence: 12 }])
    },
    stepsMsMax,
  )

  it(
    'says what was typed wrong',
    async () => {
      const lines = [
        'audit --since yesterday',
        'audit --limit 0',
        'audit --table shop',
        'audit --action none',
        'audit --table a.b --namespace a',
        'namespace set shop owner',
        'table undrop shop',
      ]
      expect((await refusals(lines)).map(({ code }) => code)).toEqual(lines.map(() => 2))
    },
    stepsMsMax,
  )
})

describe('floe on a server', () => {
  it(
    'does the same with a token, in the name of its principal, and follows the log',
    async () => {
      await makeTable()
      const [created] = await rows(['token create ada'])
      await floe(['grant add manage --to ada'])
      await using server = await serveFloe(['--role', 'catalog'], {
        cwd: folder,
        env: { FLOE_BOOTSTRAP_TOKEN: bootstrap },
      })
      const env = { FLOE_CATALOG: server.url, FLOE_TOKEN: String(created?.['token']) }
      const dropped = await rows(['table drop shop.orders', 'namespace create other', 'table dropped'], env)
      expect(dropped).toMatchObject([{ dropped_by: 'ada' }])
      await floe(['table undrop shop.orders', 'table protect shop.orders', 'namespace show other'], env)
      expect((await refusals(['table drop shop.orders'], env))[0]?.code).toBe(12)
      expect(await rows(['audit --principal ada'], env)).toMatchObject([
        { action: 'drop', name: 'shop.orders', details: { purge: false } },
        { action: 'create', name: 'other' },
        { action: 'undrop', name: 'shop.orders' },
        { action: 'protect', name: 'shop.orders' },
      ])
      expect(await follow(env)).toEqual(['protect', 'drop'])
      const [stranger] = await refusals(['audit'], { FLOE_CATALOG: server.url })
      expect(stranger?.code).toBe(10)
    },
    stepsMsMax,
  )
})

/** Actions of `ada` that a follower sees: the latest, and one that is made once it looks. */
async function follow(env: Env): Promise<readonly string[]> {
  const followed: string[] = []
  let change: Promise<unknown> | undefined
  const { code } = await runFloe('audit --principal ada --limit 1 --follow'.split(' '), {
    cwd: folder,
    env,
    onStdout: (text, child) => {
      followed.push(...text.trim().split('\n').slice(followed.length))
      if (followed.length === 1) change ??= floe(['namespace drop other'], env)
      if (followed.length === 2) child.kill('SIGTERM')
    },
  })
  await change
  expect(code).toBe(0)
  return followed.map((line) => (JSON.parse(line) as { readonly action: string }).action)
}
