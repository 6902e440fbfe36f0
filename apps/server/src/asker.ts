import type { Asker } from '@floe/lakehouse'
import type { Context } from 'hono'

/** Who sends a request, as the authorization before its route has found out. */
export function askerOf(context: Context): Asker {
  return { access: context.get('access'), bearer: context.get('bearer') }
}
