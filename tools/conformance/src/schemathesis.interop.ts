import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { installSchemathesis } from '@floe/peers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startFloeServer } from './floe-process.ts'

beforeAll(() => installSchemathesis())

/** Cases of each operation at random; a long run takes `FLOE_FUZZ_EXAMPLES=500`. */
const examples = process.env['FLOE_FUZZ_EXAMPLES'] ?? '5'
const seed = process.env['FLOE_TEST_SEED'] ?? '20260101'

/** Six minutes were seen for the slowest run, on two cores that many others used too. */
const runMsMax = 900_000

const json = { 'content-type': 'application/json' }
const schema = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: true }] }
const version = {
  'version-id': 1,
  'timestamp-ms': 1,
  'schema-id': 0,
  summary: {},
  representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'duckdb' }],
  'default-namespace': ['shop'],
}

/** So that some requests meet what is there. */
async function fillCatalog(url: string): Promise<void> {
  for (const [route, body] of [
    ['namespaces', { namespace: ['shop'] }],
    ['namespaces/shop/tables', { name: 'orders', schema }],
    ['namespaces/shop/views', { name: 'latest', schema, 'view-version': version }],
  ] as const) {
    const response = await fetch(`${url}/v1/${route}`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify(body),
    })
    expect(response.status, await response.text()).toBe(200)
  }
}

/** Runs schemathesis to its end; its own crashes are in the text, not in the server's numbers. */
async function runSchemathesis(url: string, folder: string, phases: string): Promise<string> {
  const options = {
    checks: 'not_a_server_error',
    seed,
    phases,
    'max-examples': examples,
    workers: '2',
    'suppress-health-check': 'all',
    'generation-database': 'none',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const args = ['run', `${url}/openapi.json`, ...flags, '--no-color', '--no-shrink']
  const child = spawn(await installSchemathesis(), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (part: string) => (text += part))
  await new Promise((resolve) => child.once('close', resolve))
  return text
}

/** Answers by the first digit of their status, as the server itself counted them. */
async function answersByClass(url: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const counts: Record<string, number> = {}
  for (const [, digit = '', count] of text.matchAll(
    /^http_server_request_duration_seconds_count\{.*status="(\d)\d\d"\} (\d+)$/gm,
  ))
    counts[digit] = (counts[digit] ?? 0) + Number(count)
  return counts
}

describe(`schemathesis over the served OpenAPI document, seed ${seed}`, () => {
  it.each([
    ['what the document allows and what it does not, at its borders', 'coverage', ''],
    ['what the document allows and what it does not, at random', 'fuzzing', ''],
    [
      'the same against a table and a view that are there',
      'fuzzing',
      '[parameters]\n"path.namespace" = "shop"\n"path.table" = "orders"\n"path.view" = "latest"\n',
    ],
  ])(
    'finds no failure of the server: %s',
    async (_, phases, config) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'floe-schemathesis-'))
      await using server = await startFloeServer('catalog,query,agent', folder)
      await fillCatalog(server.url)
      await writeFile(path.join(folder, 'schemathesis.toml'), config)
      const output = await runSchemathesis(server.url, folder, phases)
      const answers = await answersByClass(server.url)
      await rm(folder, { recursive: true, force: true })
      expect(output).toMatch(/Operations:\s+(\d{2,}) selected \/ \1 total/)
      expect(output).not.toContain('Server error')
      expect(answers['5'] ?? 0).toBe(0)
      expect(answers['4'] ?? 0, output).toBeGreaterThan(100)
      expect(answers['2'] ?? 0, output).toBeGreaterThan(10)
    },
    runMsMax,
  )
})
