import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Ajv, type AnySchema } from 'ajv'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'

type Service = {
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly command?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly healthcheck?: object
  readonly environment?: Readonly<Record<string, string>>
}
type Compose = {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, object>>
  readonly networks: Readonly<Record<string, object>>
}

const root = path.resolve(import.meta.dirname, '../../..')
const composeText = await readFile(path.join(root, 'docker-compose.yml'), 'utf8')
const compose = parse(composeText, { merge: true }) as Compose
const services = Object.entries(compose.services)
const dockerfiles = services.flatMap(([name, { build }]) => (build === undefined ? [] : [{ name, build }]))

/** Every `floe` command of the compose file and the images, as arguments. */
async function findFloeCommands(): Promise<readonly (readonly string[])[]> {
  const composed = services.map(([, { command }]) => command ?? [])
  const built = await Promise.all(
    dockerfiles.map(async ({ build }) => commandOf(await readDockerfile(build.dockerfile))),
  )
  return [...composed, ...built].filter(([name]) => name === 'floe')
}

function readDockerfile(file: string): Promise<string> {
  return readFile(path.join(root, file), 'utf8')
}

function commandOf(dockerfile: string): readonly string[] {
  return JSON.parse(/^CMD (?<command>\[.*\])$/m.exec(dockerfile)?.groups?.['command'] ?? '[]') as string[]
}

async function helpOf(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    path.join(root, 'apps/cli/bin/floe.cjs'),
    command,
    '--help',
  ])
  return stdout
}

describe('docker-compose.yml', () => {
  it('is valid by the Compose Specification', async () => {
    const fixture = path.join(root, 'tools/conformance/fixtures/compose-spec/compose-spec.json')
    const schema = JSON.parse(await readFile(fixture, 'utf8')) as Record<string, unknown>
    // The document names draft 07 by an https address, which is the same dialect under another name.
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile({
      ...schema,
      $schema: 'http://json-schema.org/draft-07/schema#',
    } as AnySchema)
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ services: { catalog: { imagge: 'x' } } })).toBe(false)
  })

  it('has the services, on their ports', () => {
    const ports = Object.fromEntries(
      services.map(([name, { ports: published = [] }]) => [
        name,
        published.map((port) => port.split(':').at(-1)),
      ]),
    )
    expect(ports).toEqual({
      postgres: ['5432'],
      minio: ['9000', '9001'],
      'create-bucket': [],
      catalog: ['8181'],
      etl: [],
      query: ['8182'],
      agent: ['8183'],
    })
  })

  it('publishes nothing beyond this machine, because the services have no authentication', () => {
    for (const [, { ports = [] }] of services)
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('names only services, volumes and networks that exist, and waits only for health that is checked', async () => {
    for (const [name, service] of services) {
      for (const network of service.networks ?? []) expect(compose.networks, name).toHaveProperty(network)
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('.')) expect(existsSync(path.join(root, source)), source).toBe(true)
        else expect(compose.volumes, name).toHaveProperty(source)
      }
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        const target = compose.services[other]
        expect(target, `${name} waits for ${other}`).toBeDefined()
        if (condition !== 'service_healthy') continue
        const image = target?.build === undefined ? '' : await readDockerfile(target.build.dockerfile)
        expect(
          target?.healthcheck !== undefined || image.includes('HEALTHCHECK'),
          `${other} has a health check`,
        ).toBe(true)
      }
    }
  })

  it.each(dockerfiles)(
    'builds $name from an image that is not root and checks its health',
    async ({ build }) => {
      const text = await readDockerfile(build.dockerfile)
      expect(text).toMatch(/^FROM node:24-slim$/m)
      expect(text).toMatch(/npm ci/)
      expect(text).toMatch(/^USER node$/m)
      expect(text).toMatch(/^HEALTHCHECK /m)
      expect(text.indexOf('USER node')).toBeLessThan(text.indexOf('\nCMD '))
      expect(existsSync(path.join(root, `${build.dockerfile}.dockerignore`))).toBe(true)
    },
  )

  it('says in .env.example what every variable is', async () => {
    const example = await readFile(path.join(root, '.env.example'), 'utf8')
    const documented = new Set([...example.matchAll(/^(?:# )?(\w+)=/gm)].map(([, name]) => name))
    const used = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name))
    expect(used.size).toBeGreaterThan(0)
    expect([...used].filter((name) => !documented.has(name))).toEqual([])
    expect([...documented].filter((name) => name?.startsWith('FLOE_') === true && !used.has(name))).toEqual(
      [],
    )
  })

  it('runs the floe command with flags that it has', async () => {
    const commands = await findFloeCommands()
    expect(
      commands.map(([, command = '']) => command).sort((left, right) => left.localeCompare(right)),
    ).toEqual(['load', 'load', 'serve', 'serve', 'serve', 'serve', 'serve', 'serve'])
    const help = { load: await helpOf('load'), serve: await helpOf('serve') }
    for (const [, command, ...args] of commands) {
      const text = command === 'load' ? help.load : help.serve
      for (const flag of args.filter((argument) => argument.startsWith('--')))
        expect(text, `${command} ${flag}`).toMatch(new RegExp(`${flag}[ ,]`))
    }
  })
})
