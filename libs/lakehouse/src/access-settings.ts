import type { OidcSettings } from '@floe/catalog-server'
import { FloeError } from '@floe/iceberg'

/**
 * Whether a server asks who its clients are. `none`: nothing was said, so that it may serve its own machine alone.
 * `off`: everybody may do everything, and that is meant.
 */
export type AccessSettings =
  | { readonly kind: 'none' | 'off' }
  | {
      readonly kind: 'on'
      readonly bootstrapToken?: string
      readonly oidc?: OidcSettings
      /** Where clients shall ask for tokens, told to them in `/v1/config`. */
      readonly oauth2ServerUri?: string
    }

type AccessSettingName =
  | 'auth'
  | 'bootstrapToken'
  | 'oidcIssuer'
  | 'oidcAudience'
  | 'oidcJwksUri'
  | 'oidcPrincipalClaim'
  | 'oidcRolesClaim'
  | 'oidcClockSkewSeconds'
  | 'oauth2ServerUri'
type Values = { readonly [name in AccessSettingName]?: string }

/** Whoever has it may do everything: as long as a key, not as a word. */
const bootstrapCharactersMin = 16

/** @throws FloeError invalid-input for settings that cannot be meant */
export function parseAccess(values: Values): AccessSettings {
  const { auth, bootstrapToken, oidcIssuer, oauth2ServerUri } = values
  if (auth !== undefined && auth !== 'on' && auth !== 'off') {
    throw new FloeError('invalid-input', `auth is ${auth}`, { hint: 'give on or off' })
  }
  if (auth === 'off') return { kind: 'off' }
  if (auth === undefined && bootstrapToken === undefined && oidcIssuer === undefined) return { kind: 'none' }
  if (bootstrapToken !== undefined && bootstrapToken.length < bootstrapCharactersMin) {
    throw new FloeError(
      'invalid-input',
      `the bootstrap token has fewer than ${bootstrapCharactersMin} characters`,
      { hint: 'make one with: openssl rand -hex 32' },
    )
  }
  return {
    kind: 'on',
    ...(bootstrapToken === undefined ? {} : { bootstrapToken }),
    ...(oidcIssuer === undefined ? {} : { oidc: parseOidc(listOf(oidcIssuer), values) }),
    ...(oauth2ServerUri === undefined
      ? {}
      : { oauth2ServerUri: parseUrl('oauth2ServerUri', oauth2ServerUri) }),
  }
}

function parseOidc(issuers: readonly string[], values: Values): OidcSettings {
  const { oidcAudience, oidcJwksUri, oidcPrincipalClaim, oidcRolesClaim, oidcClockSkewSeconds } = values
  const audiences = listOf(oidcAudience ?? '')
  if (audiences.length === 0) {
    throw new FloeError('invalid-input', 'an OIDC issuer is set, but no audience', {
      hint: 'set oidcAudience: without it the issuer’s tokens for any other service would be good here',
    })
  }
  const keys = oidcJwksUri === undefined ? undefined : listOf(oidcJwksUri)
  if (keys !== undefined && keys.length !== issuers.length) {
    throw new FloeError(
      'invalid-input',
      `oidcJwksUri names ${keys.length} key sets for ${issuers.length} issuers`,
      {
        hint: 'give one for each issuer, in their order, or none to have them found',
      },
    )
  }
  return {
    audiences,
    issuers: issuers.map((issuer, at) => {
      const jwksUri = keys?.[at]
      parseUrl('oidcIssuer', issuer)
      return { issuer, ...(jwksUri === undefined ? {} : { jwksUri: parseUrl('oidcJwksUri', jwksUri) }) }
    }),
    ...(oidcPrincipalClaim === undefined ? {} : { principalClaim: oidcPrincipalClaim }),
    ...(oidcRolesClaim === undefined ? {} : { rolesClaim: oidcRolesClaim }),
    ...(oidcClockSkewSeconds === undefined ? {} : { clockSkewMs: parseSkew(oidcClockSkewSeconds) }),
  }
}

function listOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}

function parseUrl(name: string, text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text
  throw new FloeError('invalid-input', `${name} is ${text}`, { hint: 'give an https:// address' })
}

/** More would make the end of a token meaningless. */
const clockSkewSecondsMax = 300

function parseSkew(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (seconds <= clockSkewSecondsMax) return seconds * 1000
  throw new FloeError('invalid-input', `oidcClockSkewSeconds is ${text}`, {
    hint: `give a whole number from 0 to ${clockSkewSecondsMax}`,
  })
}
