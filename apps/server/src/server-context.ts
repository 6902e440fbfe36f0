import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** What the server's own handlers find in a Hono context. */
export type ServerEnv = {
  /** Absent when a request does not come from a socket. */
  Bindings: Partial<HttpBindings>
  Variables: {
    /** Who asks; set by authentication, absent while that is off. */
    principal: { readonly name: string; readonly roles: readonly string[] } | undefined
  }
}

export type ServerContext = Context<ServerEnv>

/** The peer's address; `unknown` for a request without a socket. IPv6 networks hand out a /64 to one user. */
export function addressOf(context: ServerContext): string {
  const address = context.env.incoming?.socket.remoteAddress ?? 'unknown'
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/.exec(address)?.[1]
  return mapped ?? (address.includes(':') ? address.split(':').slice(0, 4).join(':') : address)
}

/** Calls `ended` when the answer is sent or its reader has left. */
export function onEnd(context: ServerContext, ended: () => void): void {
  const { outgoing } = context.env
  if (outgoing === undefined || outgoing.closed) ended()
  else outgoing.once('close', ended)
}
