import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { openSessionVendor } from './session-credentials.ts'

/** A token service: every call gets keys of its own, good for an hour. */
const startMs = 1_700_000_000_000
const calls: URLSearchParams[] = []
let server: Server
let stsEndpoint: string

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      calls.push(new URLSearchParams(body))
      const expiration = new Date(startMs + 3_600_000 * calls.length).toISOString()
      response
        .setHeader('content-type', 'text/xml')
        .end(
          `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
            `<AccessKeyId>key${calls.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>` +
            `<Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
        )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stsEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

it('asks for a session with its policy once, whoever asks at the same time, and anew before it ends', async () => {
  let nowMs = startMs
  const clock = { now: (): number => nowMs }
  const store = { region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' }
  const roleArn = 'arn:aws:iam::123456789012:role/tables'
  const sessions = openSessionVendor(store, { stsEndpoint, roleArn, externalId: 'x' }, { clock })
  const grant = { location: 's3://lake/t', access: 'read' as const, deletes: true, principal: 'ann/at home' }
  const [first, same] = await Promise.all([sessions.vend(grant), sessions.vend(grant)])
  expect(first).toEqual({
    accessKeyId: 'key1',
    secretAccessKey: 's',
    sessionToken: 't',
    expiresAtMs: startMs + 3_600_000,
  })
  expect(same).toBe(first)
  expect(Object.fromEntries(calls[0] ?? [])).toMatchObject({
    Action: 'AssumeRole',
    RoleArn: roleArn,
    RoleSessionName: 'floe-ann_at_home',
    DurationSeconds: '3600',
    ExternalId: 'x',
    Policy: expect.stringContaining('arn:aws:s3:::lake/t/*') as unknown,
  })
  nowMs += 3_600_000 - 900_000 - 1
  expect(await sessions.vend(grant)).toBe(first)
  nowMs += 1
  expect(await sessions.vend(grant)).toMatchObject({ accessKeyId: 'key2' })
  expect(await sessions.vend({ ...grant, access: 'write' })).toMatchObject({ accessKeyId: 'key3' })
  expect(await sessions.vend({ ...grant, location: 's3://lake/*' })).toBeUndefined()
  expect(calls).toHaveLength(3)
  sessions.close()
})
