import type { QueryProfile } from '../query-profile.ts'
import type { QueryResult } from '../query-result.ts'
import type { CallChannel } from './call-channel.ts'
import type { ReadForm, ResultHead, ResultPart } from './process-calls.ts'

/** The result of a query that another process runs. The next batches are made there while these are used here. */
export function remoteResult(
  query: number,
  head: ResultHead,
  channel: CallChannel,
  ended: () => void,
): QueryResult {
  let truncated = false
  let profile: QueryProfile = { bindMs: 0, planMs: 0, openMs: 0, firstRowsMs: 0, rowsMs: 0, rows: 0 }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeNow())

  async function closeNow(): Promise<void> {
    ended()
    // What has died has nothing left to close.
    await channel.call('close', { query }).catch(() => undefined)
  }

  async function* parts<Value>(form: ReadForm): AsyncGenerator<Value> {
    const ask = (): Promise<ResultPart> => channel.call('next', { query, ...form })
    let next = ask()
    try {
      for (;;) {
        const part = await next
        truncated = part.truncated
        profile = part.profile
        if (!part.done) {
          next = ask()
          // Whoever stops reading does not hear of its failure.
          next.catch(() => undefined)
        }
        for (const batch of part.batches) yield batch as Value
        if (part.done) return
      }
    } finally {
      await close()
    }
  }

  return {
    ...head,
    rows: () => parts<readonly (readonly unknown[])[]>({ form: 'rows' }),
    arrow: (metadata = new Map()) => parts<Uint8Array>({ form: 'arrow', metadata }),
    truncated: () => truncated,
    profile: () => profile,
    close,
  }
}
