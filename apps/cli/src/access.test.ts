import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runFloe } from './testing/run-floe.ts'
import type { Finished } from './testing/run-floe.ts'
import { serveFloe } from './testing/serve-floe.ts'

const bootstrap = 'a-bootstrap-token-of-some-length'
/** Each step is a process of its own. */
const stepsMsMax = 240_000

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'floe-access-cli-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function floe(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return runFloe(args, { cwd: folder, env })
}

describe('floe serve', () => {
  it(
    'refuses to listen beyond loopback without authentication, unless that is meant',
    async () => {
      const refused = await floe(['serve', '--host', '0.0.0.0', '--port', '0'])
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain('refusing to listen on 0.0.0.0 without authentication')
      await using open = await serveFloe(['--host', '0.0.0.0', '--role', 'catalog'], {
        cwd: folder,
        env: { FLOE_AUTH: 'off' },
      })
      expect(open.url).toContain('0.0.0.0')
    },
    stepsMsMax,
  )
})

describe('floe token and floe grant', () => {
  it(
    'work on the store, and through the server for those who manage it',
    async () => {
      const created = await floe(['token', 'create', 'ada', '--role', 'analysts', '--output', 'json'])
      const [{ id, token }] = JSON.parse(created.stdout) as [{ id: string; token: string }]
      expect((await floe(['grant', 'add', 'manage', '--to', 'role:analysts'])).code).toBe(0)
      await using server = await serveFloe(['--role', 'catalog'], {
        cwd: folder,
        env: { FLOE_BOOTSTRAP_TOKEN: bootstrap },
      })
      const at = ['--catalog', server.url]
      const listed = await floe(['grant', 'list', '--output', 'json', ...at], { FLOE_TOKEN: token })
      expect(JSON.parse(listed.stdout)).toEqual([
        { to: 'role:analysts', privilege: 'manage', on: 'the warehouse' },
      ])
      // Tokens are the server's, not the warehouse's.
      expect((await floe(['token', 'list', ...at, '--token', token])).code).toBe(10)
      expect((await floe(['token', 'revoke', id, ...at, '--token', bootstrap])).code).toBe(0)
      expect((await floe(['grant', 'list', ...at, '--token', token])).code).toBe(10)
      const unknown = await floe(['grant', 'list', ...at])
      expect(unknown.stderr).toContain('FLOE_TOKEN')
    },
    stepsMsMax,
  )

  it.each([
    [['grant', 'add', 'own', '--to', 'ada']],
    [['grant', 'add', 'read', '--to', 'role:']],
    [['grant', 'restrict', 'hr.people', '--to', 'ada', '--mask', 'name=hide']],
  ])('say what was typed wrong: %j', async (args) => {
    expect((await floe(args)).code).toBe(2)
  })
})
