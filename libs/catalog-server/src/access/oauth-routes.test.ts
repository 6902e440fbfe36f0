import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootstrap, openFixture } from './access-fixture.ts'
import type { AccessFixture } from './access-fixture.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const orders = '/v1/namespaces/shop/tables/orders'

let fixture: AccessFixture
let secret: string
let id: string

beforeEach(async () => {
  fixture = await openFixture({ sessionLifetimeMs: 60_000 })
  await fixture.grant({ to: { kind: 'role', name: 'etl' }, privilege: 'read', on: { kind: 'warehouse' } })
  secret = await fixture.token({ name: 'loader', roles: ['etl'] }, 3_600_000, 'client')
  id = secret.split('_')[1] ?? ''
})

afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
})

type Answer = { status: number; body: Readonly<Record<string, unknown>>; headers: Headers }

async function ask(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fixture.routes.request('/v1/oauth/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  })
  return {
    status: response.status,
    body: (await response.json()) as Answer['body'],
    headers: response.headers,
  }
}

async function load(token: unknown): Promise<number> {
  return (await fixture.send('GET', orders, String(token))).status
}

function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

const clientCredentials = { grant_type: 'client_credentials' }

describe('client credentials', () => {
  it('give a short-lived token, from the form, from a Basic header, or from the secret alone', async () => {
    const answers = [
      await ask({ ...clientCredentials, client_id: id, client_secret: secret, scope: 'catalog' }),
      await ask({ ...clientCredentials, client_secret: secret }),
      await ask(clientCredentials, basic(id, secret)),
      await ask(clientCredentials, basic('', secret)),
    ]
    for (const { status, body, headers } of answers) {
      expect(status).toBe(200)
      expect(body).toMatchObject({ token_type: 'bearer', expires_in: 60, issued_token_type: accessToken })
      expect(headers.get('cache-control')).toBe('no-store')
      expect(await load(body['access_token'])).toBe(200)
    }
    expect(answers[0]?.body).toHaveProperty('scope', 'catalog')
    fixture.clock.advance(60_001)
    expect(await load(answers[0]?.body['access_token'])).toBe(401)
  })

  it('are no bearer token themselves', async () => {
    expect(await load(secret)).toBe(401)
  })

  it('end, and their tokens with them, when they are revoked', async () => {
    const { body } = await ask({ ...clientCredentials, client_secret: secret })
    expect((await fixture.send('DELETE', `/management/v1/tokens/${id}`, bootstrap)).status).toBe(204)
    expect(await load(body['access_token'])).toBe(401)
    expect((await ask({ ...clientCredentials, client_secret: secret })).status).toBe(401)
  })

  it('that are wrong are an OAuth error, the same for every fault', async () => {
    const plain = await fixture.token({ name: 'ada', roles: ['etl'] })
    const wrong = [
      await ask({
        ...clientCredentials,
        client_id: id,
        client_secret: `${secret.slice(0, -1)}${secret.endsWith('A') ? 'E' : 'A'}`,
      }),
      await ask({ ...clientCredentials, client_id: 'other', client_secret: secret }),
      await ask({ ...clientCredentials, client_secret: plain }),
      await ask(clientCredentials),
      await ask(clientCredentials, { authorization: 'Basic !!' }),
    ]
    for (const { status, body, headers } of wrong) {
      expect([status, body['error']]).toEqual([401, 'invalid_client'])
      expect(headers.get('www-authenticate')).toMatch(/^Basic/)
    }
    expect(await ask({ grant_type: 'password' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    })
    expect(await ask({})).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } })
    fixture.clock.advance(3_600_001)
    expect((await ask({ ...clientCredentials, client_secret: secret })).status).toBe(401)
  })
})

describe('an exchange', () => {
  async function session(): Promise<string> {
    return String((await ask({ ...clientCredentials, client_secret: secret })).body['access_token'])
  }

  it('renews a token, as clients do before it is over, but never beyond its client', async () => {
    let token = await session()
    for (let minutes = 1; minutes < 59; minutes++) {
      fixture.clock.advance(59_000)
      const { status, body } = await ask({
        grant_type: exchange,
        subject_token: token,
        subject_token_type: accessToken,
      })
      expect(status).toBe(200)
      token = String(body['access_token'])
      expect(await load(token)).toBe(200)
    }
    fixture.clock.advance(3_600_000 - 58 * 59_000 - 1000)
    const last = await ask({
      grant_type: exchange,
      subject_token: await session(),
      subject_token_type: accessToken,
    })
    expect(last.body['expires_in']).toBe(1)
  })

  it('with the client behind it renews one that is over', async () => {
    const token = await session()
    fixture.clock.advance(60_001)
    const form = { grant_type: exchange, subject_token: token, subject_token_type: accessToken }
    expect(await ask(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await load((await ask(form, basic(id, secret))).body['access_token'])).toBe(200)
  })

  it('gives nothing for what is no token, nor more than the token had', async () => {
    const form = { grant_type: exchange, subject_token_type: accessToken }
    expect(await ask({ ...form, subject_token: 'x' })).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(await ask({ ...form, subject_token: bootstrap })).toMatchObject({
      body: { error: 'invalid_grant' },
    })
    expect(await ask({ ...form, subject_token: secret })).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(await ask(form)).toMatchObject({ body: { error: 'invalid_request' } })
    const subject = { ...form, subject_token: await session() }
    expect(await ask({ ...subject, subject_token_type: 'x' })).toMatchObject({
      body: { error: 'invalid_request' },
    })
    expect(await ask({ ...subject, actor_token: 'x' })).toMatchObject({ body: { error: 'invalid_request' } })
  })
})
