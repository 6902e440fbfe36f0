import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import type { CryptoKey, JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '@floe/testing'
import { openFixture } from './access-fixture.ts'
import { oidcTokens } from './oidc-authenticator.ts'
import type { OidcSettings } from './oidc-authenticator.ts'

const nowMs = 1_800_000_000_000
const nowSeconds = nowMs / 1000
const clock = manualClock(nowMs)

let server: Server
let issuer: string
let key: CryptoKey
let publicPem: string
let requests: string[] = []

/** A real issuer: discovery and keys over HTTP. */
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true })
  key = pair.privateKey
  publicPem = await exportSPKI(pair.publicKey)
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  server = createServer((request, response) => {
    requests.push(request.url ?? '')
    response.setHeader('content-type', 'application/json')
    if (request.url === '/keys') response.end(JSON.stringify({ keys: [jwk] }))
    else response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
})

function settings(more: Partial<OidcSettings> = {}): OidcSettings {
  return { issuers: [{ issuer }], audiences: ['floe'], ...more }
}

function signed(
  claims: { readonly [claim in keyof JWTPayload]: unknown } = {},
  signer: CryptoKey = key,
  header = { alg: 'RS256', kid: 'one' },
): Promise<string> {
  const payload: Readonly<Record<string, unknown>> = {
    iss: issuer,
    aud: 'floe',
    sub: 'ada',
    exp: nowSeconds + 60,
    roles: ['analysts'],
    ...claims,
  }
  return new SignJWT(payload).setProtectedHeader(header).sign(signer)
}

describe('a token of an issuer', () => {
  it('tells principal, roles and its end', async () => {
    requests = []
    const authenticate = oidcTokens(settings(), clock)
    expect(await authenticate(await signed())).toEqual({
      principal: { name: 'ada', roles: ['analysts'] },
      expiresAtMs: nowMs + 60_000,
    })
    await authenticate(await signed())
    expect(requests).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('has its principal and roles in the claims that the settings name', async () => {
    const authenticate = oidcTokens(
      settings({ principalClaim: 'email', rolesClaim: 'realm_access.roles' }),
      clock,
    )
    const token = await signed({ email: 'ada@example.org', realm_access: { roles: ['a', 7, 'b'] } })
    expect((await authenticate(token))?.principal).toEqual({ name: 'ada@example.org', roles: ['a', 'b'] })
    const url = oidcTokens(settings({ rolesClaim: 'https://floe.example/roles' }), clock)
    const spaced = await url(await signed({ 'https://floe.example/roles': 'x y' }))
    expect(spaced?.principal.roles).toEqual(['x', 'y'])
    expect(await authenticate(await signed({ email: 7 }))).toBeUndefined()
  })

  it('cannot speak for the principal of another issuer', async () => {
    const issuers = [{ issuer, jwksUri: `${issuer}/keys` }, { issuer: 'https://other.example' }]
    const authenticate = oidcTokens(settings({ issuers }), clock)
    expect((await authenticate(await signed()))?.principal.name).toBe(`${issuer}#ada`)
  })

  it('may be as late as clocks are apart', async () => {
    const authenticate = oidcTokens(settings({ clockSkewMs: 10_000 }), clock)
    expect(await authenticate(await signed({ exp: nowSeconds - 9 }))).toBeDefined()
    expect(await authenticate(await signed({ exp: nowSeconds - 11 }))).toBeUndefined()
    expect(await authenticate(await signed({ nbf: nowSeconds + 9 }))).toBeDefined()
    expect(await authenticate(await signed({ nbf: nowSeconds + 11 }))).toBeUndefined()
  })

  it('is refused when anything about it is wrong', async () => {
    const authenticate = oidcTokens(settings(), clock)
    const other = await generateKeyPair('RS256')
    const good = await signed()
    const [head = '', , signature = ''] = good.split('.')
    const forged = Buffer.from(
      JSON.stringify({ iss: issuer, aud: 'floe', sub: 'root', exp: nowSeconds + 60 }),
    ).toString('base64url')
    const shared = new TextEncoder().encode(publicPem)
    const payload = { iss: issuer, aud: 'floe', sub: 'ada', exp: nowSeconds + 60 }
    const bad = {
      'alg none': new UnsecuredJWT(payload).encode(),
      'alg none in capitals': `${Buffer.from('{"alg":"None"}').toString('base64url')}.${forged}.`,
      'a public key as shared secret': await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(shared),
      'another key': await signed({}, other.privateKey),
      'an unknown key id': await signed({}, key, { alg: 'RS256', kid: 'two' }),
      'another payload': `${head}.${forged}.${signature}`,
      'no signature': `${head}.${forged}.`,
      'another audience': await signed({ aud: 'other' }),
      'no audience': await signed({ aud: [] }),
      'another issuer': await signed({ iss: 'https://evil.example' }),
      'no issuer': await signed({ iss: undefined }),
      'no subject': await signed({ sub: undefined }),
      'no end': await signed({ exp: undefined }),
      'no token': 'x.y.z',
      'too many parts': `${good}.x`,
    }
    for (const [title, token] of Object.entries(bad)) expect(await authenticate(token), title).toBeUndefined()
  })

  it('is not a bad one when the issuer cannot be asked', async () => {
    const gone = createServer()
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`
    await new Promise((resolve) => gone.close(resolve))
    const authenticate = oidcTokens(settings({ issuers: [{ issuer, jwksUri: `${address}/keys` }] }), clock)
    await expect(authenticate(await signed())).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('opens the catalog to the grants of its principal and roles', async () => {
    await using fixture = await openFixture({ oidc: settings() })
    const exp = fixture.clock.now() / 1000 + 60
    const token = await signed({ exp })
    const orders = '/v1/namespaces/shop/tables/orders'
    expect((await fixture.send('GET', orders, token)).status).toBe(403)
    await fixture.grant({
      to: { kind: 'role', name: 'analysts' },
      privilege: 'read',
      on: { kind: 'warehouse' },
    })
    expect((await fixture.send('GET', orders, token)).status).toBe(200)
    expect((await fixture.send('DELETE', orders, token)).status).toBe(403)
    fixture.clock.advance(200_000)
    expect((await fixture.send('GET', orders, token)).status).toBe(401)
  })
})
