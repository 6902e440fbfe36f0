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
      warehouses: [{ name: 'default', location: `file://${folder}/.floe/warehouse` }],
      store: { s3: {} },
      cacheDirectory: `${folder}/.floe/cache`,
      query: { timeoutMs: 300_000 },
      queryLog: `${folder}/.floe/queries.ndjson`,
      workers: 2,
      provider: { kind: 'rules' },
      access: { kind: 'none' },
      readMethod: 'copy',
      serve: {},
      s3Delegation: { chosenLocations: false, deletes: true, remoteSigning: true },
      dropRetentionMs: 0,
      directory: folder,
    })
  })

  it('takes the limits of queries, and refuses what is none', () => {
    const environment = {
      FLOE_SQL_MEMORY: '2GiB',
      FLOE_SQL_TIMEOUT_SECONDS: '30',
      FLOE_SQL_RESULT_SIZE: '1MB',
      FLOE_CACHE_SIZE: '5GB',
      FLOE_QUERY_LOG: 'off',
    }
    const settings = read({}, environment)
    expect(settings.query).toEqual({
      memoryMaxMb: 2048,
      timeoutMs: 30_000,
      resultBytesMax: 1_000_000,
      cacheBytesMax: 5_000_000_000,
    })
    expect(settings).not.toHaveProperty('queryLog')
    expect(() => read({}, { FLOE_SQL_TIMEOUT_SECONDS: '0' })).toThrow('sqlTimeoutSeconds is 0')
    expect(() => read({}, { FLOE_SQL_MEMORY: 'much' })).toThrow('memory is much')
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

  const rest = 'http://localhost:8181'
  const glueRest = 'https://glue.eu-west-1.amazonaws.com/iceberg'

  it.each<[string, string, Readonly<Record<string, string>>, object]>([
    ['nobody', rest, {}, { kind: 'none' }],
    ['a token', rest, { FLOE_TOKEN: 't' }, { kind: 'bearer', token: 't' }],
    ['a credential', rest, { FLOE_CATALOG_CREDENTIAL: 'id:s' }, { kind: 'oauth2', credential: 'id:s' }],
    [
      'an OAuth2 server',
      rest,
      {
        FLOE_CATALOG_CREDENTIAL: 'id:s',
        FLOE_CATALOG_SCOPE: 'lake',
        FLOE_CATALOG_OAUTH2_URI: 'http://idp/token',
      },
      { kind: 'oauth2', credential: 'id:s', scope: 'lake', serverUri: 'http://idp/token' },
    ],
    ['AWS, by its host', glueRest, {}, { kind: 'sigv4', signingName: 'glue', region: 'eu-west-1' }],
    [
      'AWS, by settings',
      rest,
      { FLOE_CATALOG_AUTH: 'sigv4', FLOE_CATALOG_SIGNING_NAME: 's3tables', FLOE_CATALOG_SIGNING_REGION: 'r' },
      { kind: 'sigv4', signingName: 's3tables', region: 'r' },
    ],
    [
      'nobody, though there is a token',
      rest,
      { FLOE_TOKEN: 't', FLOE_CATALOG_AUTH: 'none' },
      { kind: 'none' },
    ],
  ])('comes to a REST catalog as %s', (_name, catalog, environment, auth) => {
    expect(read({ catalog }, environment).catalog).toEqual({
      kind: 'rest',
      uri: catalog,
      auth,
      vendedCredentials: true,
    })
  })

  it('takes warehouse, prefix and headers of a REST catalog, and asks for no credentials where keys are set', () => {
    writeFileSync(
      path.join(folder, 'floe.config.yaml'),
      'catalogHeaders: { x-team: blue }\ncatalogWarehouse: w\n',
    )
    const environment = { FLOE_CATALOG_PREFIX: 'p', FLOE_S3_ACCESS_KEY_ID: 'mine' }
    expect(read({ catalog: rest }, environment).catalog).toMatchObject({
      warehouse: 'w',
      prefix: 'p',
      headers: { 'x-team': 'blue' },
      vendedCredentials: false,
    })
    const wanted = { ...environment, FLOE_CATALOG_VENDED_CREDENTIALS: 'true' }
    expect(read({ catalog: rest }, wanted).catalog).toMatchObject({ vendedCredentials: true })
  })

  it.each([
    ['glue', {}],
    ['glue://eu-west-1', { region: 'eu-west-1' }],
    [
      'glue://eu-west-1?catalog-id=123&endpoint=http%3A%2F%2Flocalhost%3A5000',
      { region: 'eu-west-1', catalogId: '123', endpoint: 'http://localhost:5000' },
    ],
  ])('reads the catalog %s', (catalog, expected) => {
    expect(read({ catalog }).catalog).toEqual({ kind: 'glue', ...expected })
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['glue://eu-west-1?profile=x', {}],
    ['glue:eu', {}],
    [rest, { FLOE_CATALOG_AUTH: 'kerberos' }],
    [rest, { FLOE_CATALOG_AUTH: 'bearer' }],
    [rest, { FLOE_CATALOG_AUTH: 'sigv4' }],
    [rest, { FLOE_CATALOG_VENDED_CREDENTIALS: 'yes' }],
  ])('refuses the catalog %s with %j', (catalog, environment) => {
    expect(() => read({ catalog }, environment)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })

  it.each(['postgres://u:p@host/db', 'postgresql://host:5433/db?schema=s&sslmode=require'])(
    'reads the catalog %s as a database',
    (catalog) => {
      expect(read({ catalog }).catalog).toEqual({ kind: 'postgres', url: catalog })
    },
  )

  it('shows no password of a catalog that it cannot read', () => {
    const showing = (): string => {
      try {
        return JSON.stringify(read({ catalog: 'postgres://u:hidden@host' }).catalog)
      } catch (error) {
        return String(error)
      }
    }
    expect(showing()).toMatch(/without host or database/)
    expect(showing()).not.toContain('hidden')
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
    { catalog: 'postgres://host:port/x' },
    { catalog: 'postgresql:x' },
    { catalog: 'mysql://host/x' },
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
    public.places.parts: { as: list(2), dimensions: flatten }
    public.places.open: { as: struct }
    public.places.size: { as: "decimal(38,4) round", outOfRange: clamp }`
    expect(policiesOf(yaml)).toEqual({
      default: { infinity: 'null', nan: 'null' },
      columns: {
        'public.places.shape': { as: { kind: 'text' } },
        'public.places.parts': { as: { kind: 'list', dimensions: 2 }, dimensions: 'flatten' },
        'public.places.open': { as: { kind: 'struct' } },
        'public.places.size': {
          as: { kind: 'decimal', precision: 38, scale: 4, round: true },
          outOfRange: 'clamp',
        },
      },
    })
  })

  it('refuses what is no policy, and says what is', () => {
    expect(() => policiesOf('types: { columns: { public.t.x: { as: jsonb } } }')).toThrow('decimal(38,4)')
  })
})

describe('the retention of dropped tables', () => {
  it('is in seconds, and keeps clients from deleting files', () => {
    expect(read({}, { FLOE_DROP_RETENTION_SECONDS: '604800' })).toMatchObject({
      dropRetentionMs: 604_800_000,
      s3Delegation: { deletes: false },
    })
  })

  it.each([
    [{ FLOE_DROP_RETENTION_SECONDS: '7d' }, 'dropRetentionSeconds'],
    [{ FLOE_DROP_RETENTION_SECONDS: '-1' }, 'dropRetentionSeconds'],
    [{ FLOE_DROP_RETENTION_SECONDS: '60', FLOE_S3_DELEGATED_DELETES: 'true' }, 's3DelegatedDeletes'],
  ])('refuses %j', (environment, named) => {
    expect(() => read({}, environment)).toThrow(named)
  })
})
