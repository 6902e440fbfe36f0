import { afterEach, describe, expect, it } from 'vitest'
import { manualClock } from '@floe/testing'
import type { Catalog } from '../catalog.ts'
import { openRestCatalog } from './index.ts'
import type { RestAuthSettings, RestCatalogSettings } from './index.ts'
import { ForeignServer } from './rest-client-fixture.ts'
import type { Received, Reply } from './rest-client-fixture.ts'

let server: ForeignServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

const clock = manualClock(1_700_000_000_000)
const credentials: RestAuthSettings = { kind: 'oauth2', credential: 'floe:pa:ss', scope: 'lake' }

/** A catalog whose token server hands out `token-1`, `token-2`, ...; those below `refusedBelow` are refused. */
class TokenCatalog {
  issued = 0
  refusedBelow = 1
  expiresIn: number | undefined = 3600
  refusal: Reply | undefined

  readonly reply = (request: Received): Reply => {
    if (request.url === '/v1/oauth/tokens' || request.url === '/elsewhere/token') return this.#issue(request)
    const number = Number(/^Bearer token-(\d+)$/.exec(request.headers.authorization ?? '')?.[1])
    if (!(number >= this.refusedBelow)) return { status: this.refusedBelow % 2 === 0 ? 401 : 419 }
    return { body: request.url.startsWith('/v1/config') ? {} : { namespaces: [] } }
  }

  #issue({ body, headers }: Received): Reply {
    if (this.refusal !== undefined) return this.refusal
    const form = new URLSearchParams(body)
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'client_credentials',
      client_id: 'floe',
      client_secret: 'pa:ss',
      scope: 'lake',
    })
    const expires = this.expiresIn === undefined ? {} : { expires_in: this.expiresIn }
    return { body: { access_token: `token-${++this.issued}`, token_type: 'bearer', ...expires } }
  }
}

async function open(
  reply: (request: Received) => Reply,
  auth: RestAuthSettings,
  more: Partial<RestCatalogSettings> = {},
): Promise<Catalog> {
  server = new ForeignServer(reply)
  const uri = await server.listen()
  return openRestCatalog({ uri, auth, ...more }, { clock, sleep: async () => undefined })
}

describe('OAuth2 client credentials', () => {
  it('are changed for one token, however many requests wait for it', async () => {
    const peer = new TokenCatalog()
    const catalog = await open(peer.reply, credentials)
    await Promise.all(Array.from({ length: 8 }, () => catalog.listNamespaces()))
    expect(peer.issued).toBe(1)
  })

  it('are changed again before the token ends', async () => {
    const peer = new TokenCatalog()
    peer.expiresIn = 600
    const catalog = await open(peer.reply, credentials)
    clock.advance(539_000)
    await catalog.listNamespaces()
    expect(peer.issued).toBe(1)
    clock.advance(2_000)
    await catalog.listNamespaces()
    expect(peer.issued).toBe(2)
  })

  it.each([2, 3])('are changed again when the catalog refuses the token (%i)', async (refusedBelow) => {
    const peer = new TokenCatalog()
    peer.expiresIn = undefined
    const catalog = await open(peer.reply, credentials)
    peer.refusedBelow = refusedBelow
    peer.issued = refusedBelow - 1
    await Promise.all(Array.from({ length: 8 }, () => catalog.listNamespaces()))
    expect(peer.issued).toBe(refusedBelow)
  })

  it('are not tried for ever when no token is good enough', async () => {
    const peer = new TokenCatalog()
    const catalog = await open(peer.reply, credentials)
    peer.refusedBelow = 1000
    await expect(catalog.listNamespaces()).rejects.toMatchObject({ code: 'permission-denied' })
    expect(peer.issued).toBe(2)
  })

  it('go to the server that is named, absolute or below the catalog', async () => {
    const peer = new TokenCatalog()
    await open(peer.reply, { ...credentials, serverUri: 'elsewhere/token' })
    expect(server?.received[0]?.url).toBe('/elsewhere/token')
  })

  it('that are wrong are permission-denied, and stay out of the message', async () => {
    const peer = new TokenCatalog()
    peer.refusal = {
      status: 401,
      body: { error: 'invalid_client', error_description: 'secret pa:ss is wrong' },
    }
    const opening = open(peer.reply, credentials)
    await expect(opening).rejects.toMatchObject({ code: 'permission-denied' })
    const message = await opening.catch((error: unknown) => String(error))
    expect(message).toContain('invalid_client')
    expect(message).not.toContain('pa:ss')
  })
})

describe('SigV4', () => {
  const sigv4: RestAuthSettings = {
    kind: 'sigv4',
    signingName: 'glue',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' },
  }

  it('signs host, date, body hash and session token, for service and region', async () => {
    const catalog = await open(() => ({ body: {} }), sigv4)
    await catalog.createNamespace(['a'])
    const [, post] = server?.received ?? []
    expect(post?.headers).toMatchObject({
      'x-amz-date': expect.stringMatching(/^20231114T\d{6}Z$/),
      'x-amz-security-token': 'session',
      'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(post?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/glue\/aws4_request, SignedHeaders=[^,]*host;[^,]*, Signature=[0-9a-f]{64}$/,
    )
  })
})
