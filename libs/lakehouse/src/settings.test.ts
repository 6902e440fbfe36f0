import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSettings } from './settings.ts'
import type { LakehouseSettings, SettingFlags } from './settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'floe-settings-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

function read(
  flags: SettingFlags = {},
  environment: Readonly<Record<string, string | undefined>> = {},
): LakehouseSettings {
  return readSettings(flags, environment, folder, 2)
}

describe('readSettings', () => {
  it('keeps everything below .floe when nothing is set', () => {
    expect(read()).toEqual({
      catalog: { kind: 'sqlite', path: `${folder}/.floe/catalog.db` },
      warehouse: `file://${folder}/.floe/warehouse`,
      store: { s3: { pathStyle: false } },
      cacheDirectory: `${folder}/.floe/cache`,
      workers: 2,
      provider: { kind: 'rules' },
      readMethod: 'copy',
      s3Delegation: { chosenLocations: false, deletes: true, remoteSigning: true },
      directory: folder,
    })
  })

  it('takes the flag, then the environment, then .env, then floe.config.yaml', () => {
    writeFileSync(
      path.join(folder, 'floe.config.yaml'),
      'workers: 3\nwarehouse: file:from-file\nsourceUrl: from-file\ncatalog: sqlite:from-file\n',
    )
    expect(read()).toMatchObject({
      workers: 3,
      sourceUrl: 'from-file',
      warehouse: `file://${folder}/from-file`,
    })
    writeFileSync(
      path.join(folder, '.env'),
      'FLOE_WORKERS=4\nFLOE_SOURCE_URL="from .env"\nFLOE_WAREHOUSE=file:from-env-file\n',
    )
    expect(read()).toMatchObject({ workers: 4, sourceUrl: 'from .env' })
    const environment = { FLOE_WORKERS: '5', FLOE_WAREHOUSE: 'file:from-environment' }
    expect(read({}, environment)).toMatchObject({
      workers: 5,
      warehouse: `file://${folder}/from-environment`,
      sourceUrl: 'from .env',
    })
    expect(read({ workers: '6' }, environment)).toMatchObject({
      workers: 6,
      warehouse: `file://${folder}/from-environment`,
      sourceUrl: 'from .env',
      catalog: { path: `${folder}/from-file` },
    })
  })

  it('takes an empty variable for one that is not set', () => {
    writeFileSync(path.join(folder, 'floe.config.yaml'), 'workers: 3\n')
    expect(read({ workers: undefined }, { FLOE_WORKERS: '', FLOE_CATALOG: '' })).toMatchObject({
      workers: 3,
      catalog: { kind: 'sqlite' },
    })
  })

  it('takes an empty configuration file for none', () => {
    writeFileSync(path.join(folder, 'floe.config.yaml'), '# nothing yet\n')
    expect(read().workers).toBe(2)
  })

  it.each([
    ['sqlite:state/c.db', '<folder>/state/c.db'],
    ['sqlite:../c.db', '<above>/c.db'],
    ['sqlite:/abs/c.db', '/abs/c.db'],
    ['sqlite:///abs/c.db', '/abs/c.db'],
  ])('reads the catalog %s as a file', (catalog, expected) => {
    const file = expected.replace('<folder>', folder).replace('<above>', path.dirname(folder))
    expect(read({ catalog }).catalog).toEqual({ kind: 'sqlite', path: file })
  })

  it('reads a REST catalog with its token', () => {
    expect(read({ catalog: 'http://localhost:8181' }, { FLOE_TOKEN: 't' }).catalog).toEqual({
      kind: 'rest',
      uri: 'http://localhost:8181',
      token: 't',
    })
  })

  it.each([
    ['lake', 'file://<folder>/lake'],
    ['./lake', 'file://<folder>/lake'],
    ['/abs/lake', 'file:///abs/lake'],
    ['file:lake', 'file://<folder>/lake'],
    ['file:/abs/lake', 'file:///abs/lake'],
    ['file:///abs/lake', 'file:///abs/lake'],
    ['file:a lake', 'file://<folder>/a lake'],
    ['s3://bucket/prefix/', 's3://bucket/prefix'],
    ['s3://bucket', 's3://bucket'],
  ])('reads the warehouse %s as a location', (warehouse, expected) => {
    expect(read({ warehouse }).warehouse).toBe(expected.replace('<folder>', folder))
  })

  it('addresses a server that is not AWS by path, unless told otherwise', () => {
    const endpoint = { s3Endpoint: 'http://localhost:9000' }
    expect(read(endpoint).store.s3).toEqual({ endpoint: 'http://localhost:9000', pathStyle: true })
    expect(read({ ...endpoint, s3PathStyle: 'false' }).store.s3?.pathStyle).toBe(false)
  })

  it('reads the provider of answers', () => {
    const environment = {
      FLOE_PROVIDER: 'openai-compatible',
      FLOE_OPENAI_BASE_URL: 'http://localhost:1/v1',
      FLOE_OPENAI_MODEL: 'm',
      FLOE_OPENAI_API_KEY: 'k',
    }
    expect(read({}, environment).provider).toEqual({
      kind: 'openai-compatible',
      baseUrl: 'http://localhost:1/v1',
      model: 'm',
      apiKey: 'k',
    })
    expect(read({ provider: 'rules' }, environment).provider).toEqual({ kind: 'rules' })
  })

  it.each<SettingFlags>([
    { catalog: 'postgres://x' },
    { catalog: 'catalog.db' },
    { catalog: 'sqlite:' },
    { catalog: 'sqlite://host/c.db' },
    { catalog: 'http://' },
    { warehouse: 'gs://bucket/x' },
    { warehouse: 's3://' },
    { warehouse: 'file:' },
    { warehouse: 'file://host/x' },
    { workers: '0' },
    { workers: '257' },
    { workers: '1.5' },
    { workers: 'many' },
    { s3PathStyle: 'yes' },
    { provider: 'oracle' },
    { provider: 'openai-compatible' },
  ])('refuses %j with a hint', (flags) => {
    expect(() => read(flags)).toThrow(
      expect.objectContaining({ code: 'invalid-input', hint: expect.stringMatching(/\w/) }),
    )
  })

  it.each([
    ['an unknown name', 'werehouse: x', /werehouse/],
    ['a value that is no scalar', 'workers: [1]', /workers/],
    ['something else than names and values', '- a\n- b', /object/],
    ['what is not YAML', 'a: [', /floe\.config\.yaml is not YAML/],
  ])('refuses a configuration file with %s', (_, text, message) => {
    writeFileSync(path.join(folder, 'floe.config.yaml'), text)
    expect(() => read()).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        message: expect.stringMatching(message),
        hint: expect.any(String),
      }),
    )
  })
})

describe('types in floe.config.yaml', () => {
  function policiesOf(yaml: string): LakehouseSettings['typePolicies'] {
    writeFileSync(path.join(folder, 'floe.config.yaml'), yaml)
    return readSettings({}, {}, folder, 1).typePolicies
  }

  it('names what becomes of values, with null in both of its spellings', () => {
    const yaml = `types:
  default: { infinity: null, nan: "null" }
  columns:
    public.places.shape: { as: text }
    public.places.size: { as: "decimal(38,4) round", outOfRange: clamp }`
    expect(policiesOf(yaml)).toEqual({
      default: { infinity: 'null', nan: 'null' },
      columns: {
        'public.places.shape': { as: { kind: 'text' } },
        'public.places.size': {
          as: { kind: 'decimal', precision: 38, scale: 4, round: true },
          outOfRange: 'clamp',
        },
      },
    })
  })

  it('refuses what is no policy, and says what is', () => {
    expect(() => policiesOf('types: { columns: { public.t.x: { as: json } } }')).toThrow('decimal(38,4)')
  })
})
