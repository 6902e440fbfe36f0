import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { FloeError } from '@floe/iceberg/values'

import type { StoreSettings } from '../object-store.ts'
import { createS3Client } from './s3-client.ts'
import { arnPartition, sessionPolicy } from './session-policy.ts'
import type { SessionGrant } from './session-policy.ts'

export type SessionSettings = {
  /** The role that sessions assume; servers other than AWS ignore it. */
  readonly roleArn?: string
  /** Of the token service; that of AWS in the store's region when absent. */
  readonly stsEndpoint?: string
  /** Handed to AWS with each session, where the role's trust asks for it. */
  readonly externalId?: string
  /** How long a session's keys are good for (default 3600; AWS takes 900 to 43,200). */
  readonly durationSeconds?: number
  /** A session is given out again until it has less than this left (default 900, at most half of the duration). */
  readonly renewBeforeSeconds?: number
  /** Sessions that are kept (default 10,000). */
  readonly sessionsMax?: number
}

export type SessionKeys = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
}

export type SessionVendor = {
  /**
   * Keys that reach one folder; `undefined` where no policy can hold them to it.
   * @param principal  whose session it is, as logs of the store will name it
   * @throws FloeError unavailable, permission-denied
   */
  vend(grant: SessionGrant & { readonly principal?: string }): Promise<SessionKeys | undefined>
  close(): void
}

const durationSecondsDefault = 3600
const renewBeforeSecondsDefault = 900
const sessionsMaxDefault = 10_000
/** The parameter must look like a role, also to servers that ignore it. */
const anyRoleArn = 'arn:aws:iam::000000000000:role/floe'
const attemptsMax = 3

type Session = { readonly keys: Promise<SessionKeys>; renewAtMs: number }
type Clock = { now(): number }

/** Sessions of STS AssumeRole, each limited by a policy of its own and shared by equal requests until shortly before its end. */
export function openSessionVendor(
  storeSettings: NonNullable<StoreSettings['s3']>,
  settings: SessionSettings,
  { clock }: { readonly clock: Clock },
): SessionVendor {
  // Resolves keys and region as the store does, and is never sent with.
  const store = createS3Client(storeSettings)
  const sts = new STSClient({
    region: () => store.config.region(),
    credentials: () => store.config.credentials(),
    maxAttempts: attemptsMax,
    ...(settings.stsEndpoint === undefined ? {} : { endpoint: settings.stsEndpoint }),
  })
  const sessions = new KeptSessions(settings, clock)
  return {
    vend: async ({ principal, ...grant }) => {
      const policy = sessionPolicy(grant, arnPartition(settings.roleArn, await store.config.region()))
      if (policy === undefined) return undefined
      const name = sessionName(principal)
      return sessions.get(JSON.stringify([name, policy]), () =>
        assumeRole(sts, settings, { policy, name, clock }),
      )
    },
    close: () => {
      sts.destroy()
      store.destroy()
    },
  }
}

class KeptSessions {
  readonly #sessions = new Map<string, Session>()
  readonly #sessionsMax: number
  readonly #renewBeforeMs: number
  readonly #clock: Clock

  constructor({ durationSeconds = durationSecondsDefault, ...settings }: SessionSettings, clock: Clock) {
    this.#sessionsMax = settings.sessionsMax ?? sessionsMaxDefault
    this.#renewBeforeMs =
      1000 * Math.min(settings.renewBeforeSeconds ?? renewBeforeSecondsDefault, durationSeconds / 2)
    this.#clock = clock
  }

  async get(id: string, open: () => Promise<SessionKeys>): Promise<SessionKeys> {
    const known = this.#sessions.get(id)
    if (known !== undefined && this.#clock.now() < known.renewAtMs) return known.keys
    this.#sessions.delete(id)
    // Until its end is known it is as good as new: those that ask meanwhile share it.
    const session: Session = { keys: open(), renewAtMs: Number.POSITIVE_INFINITY }
    this.#keep(id, session)
    try {
      const keys = await session.keys
      session.renewAtMs = keys.expiresAtMs - this.#renewBeforeMs
      return keys
    } catch (error) {
      if (this.#sessions.get(id) === session) this.#sessions.delete(id)
      throw error
    }
  }

  #keep(id: string, session: Session): void {
    this.#sessions.set(id, session)
    const [oldest] = this.#sessions.keys()
    if (oldest !== undefined && this.#sessions.size > this.#sessionsMax) this.#sessions.delete(oldest)
  }
}

async function assumeRole(
  sts: STSClient,
  settings: SessionSettings,
  { policy, name, clock }: { readonly policy: string; readonly name: string; readonly clock: Clock },
): Promise<SessionKeys> {
  const durationSeconds = settings.durationSeconds ?? durationSecondsDefault
  const command = new AssumeRoleCommand({
    RoleArn: settings.roleArn ?? anyRoleArn,
    RoleSessionName: name,
    DurationSeconds: durationSeconds,
    Policy: policy,
    ...(settings.externalId === undefined ? {} : { ExternalId: settings.externalId }),
  })
  const { Credentials: keys } = await sts.send(command).catch((error: unknown) => {
    throw stsError(error)
  })
  if (!keys?.AccessKeyId || !keys.SecretAccessKey || !keys.SessionToken)
    throw new FloeError('unavailable', 'the token service answered without keys')
  return {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
    expiresAtMs: keys.Expiration?.getTime() ?? clock.now() + 1000 * durationSeconds,
  }
}

/** 2 to 64 of the characters that STS takes. */
function sessionName(principal: string | undefined): string {
  return `floe-${(principal ?? 'anonymous').replaceAll(/[^A-Za-z0-9_+=,.@-]/g, '_')}`.slice(0, 64)
}

function stsError(error: unknown): FloeError {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0
  const name = error instanceof Error ? error.name : 'unknown'
  if (status >= 400 && status < 500 && status !== 429) {
    return new FloeError('permission-denied', `the token service refuses a session for a table (${name})`, {
      hint: 'check the role, its trust in the keys of the catalog, and the session duration',
      cause: error,
    })
  }
  return new FloeError('unavailable', `the token service does not answer (${name})`, {
    hint: 'check the STS endpoint',
    cause: error,
  })
}
