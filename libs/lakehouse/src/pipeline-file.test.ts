import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPipeline } from './pipeline-file.ts'
import type { Pipeline } from './pipeline-file.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-pipeline-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(text: string, environment: Record<string, string> = {}): Promise<Pipeline> {
  const file = path.join(folder, 'floe.yaml')
  await writeFile(file, text)
  return readPipeline(file, environment)
}

it('gives tables with settings of their own, and leaves out what nobody set', async () => {
  const text = `
source: \${SHOP_URL}
namespace: shop.raw
mode: incremental
resume: false
cursor: updated_at
types: { default: { nan: null } }
tables:
  - public.customers
  - table: public.orders
    namespace: sales
    cursor: { column: id, lag: 1000, merge: false, commitEvery: 50000 }
    columns: [id, total]
    where: total > 0
    types: { total: { as: double } }
    properties: { write.target-file-size-bytes: 1000000 }
`
  expect(await read(text, { SHOP_URL: 'postgres://shop' })).toEqual({
    sourceUrl: 'postgres://shop',
    namespace: ['shop', 'raw'],
    mode: 'incremental',
    transaction: false,
    resume: false,
    cursor: { column: 'updated_at' },
    policies: { default: { nan: 'null' } },
    tables: [
      { source: 'public.customers' },
      {
        source: 'public.orders',
        namespace: ['sales'],
        cursor: { column: 'id', lag: '1000', merge: false, commitEveryRows: 50_000 },
        columns: ['id', 'total'],
        where: 'total > 0',
        policies: {
          default: { nan: 'null' },
          columns: { 'public.orders.total': { as: { kind: 'double' } } },
        },
        properties: { 'write.target-file-size-bytes': '1000000' },
      },
    ],
  })
})

it.each([
  ['namespace: shop\ntables: []', 'tables'],
  ['namespace: shop\ntables:\n  - table: public.a\n    mode: upsert', 'tables[0]'],
  ['namespace: shop\ntables: [public.a]\nbatch: 3', 'batch'],
  ['namespace: shop\ntables: [public.a]\ncursor: { column: id, commitEvery: 0 }', 'cursor'],
  ['tables: [public.a]', 'namespace'],
  ['namespace: shop\ntables: [', 'YAML'],
])('names the path of what is wrong in %j', async (text, where) => {
  await expect(read(text)).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining(where) as unknown,
    hint: expect.any(String) as unknown,
  })
})

it('says which variable of the environment is missing, and which file', async () => {
  await expect(read('source: $SHOP_URL\nnamespace: shop\ntables: [a.b]')).rejects.toMatchObject({
    message: expect.stringContaining('SHOP_URL') as unknown,
  })
  expect(() => readPipeline(path.join(folder, 'none.yaml'), {})).toThrow(/none\.yaml/)
})
