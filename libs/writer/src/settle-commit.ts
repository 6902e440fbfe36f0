import { FloeError, snapshotById } from '@floe/iceberg'
import type { Snapshot } from '@floe/iceberg'
import { commitTokenProperty, findCommitted } from './snapshot-change.ts'
import { addsSortOrder } from './snapshot-commit.ts'
import type { CommitComponents, SnapshotCommit, TableState } from './snapshot-commit.ts'
import type { WriteSettings } from './write-settings.ts'

export type Settled =
  | { readonly kind: 'committed'; readonly state: TableState; readonly snapshot: Snapshot }
  | { readonly kind: 'retry'; readonly state: TableState }

/** Decides what a failed commit means: it happened after all, it can be tried on the new head, or it is an error. */
export async function settleCommit(
  commit: SnapshotCommit,
  error: FloeError,
  attempt: number,
  settings: WriteSettings,
  components: CommitComponents,
): Promise<Settled> {
  if (error.code === 'commit-state-unknown') return settleUnknown(commit, error, settings, components)
  if (commit.base.metadataLocation === undefined) return settleCreate(commit, error, components)
  if (error.code !== 'commit-conflict') throw error
  const isLast = attempt > settings.commitRetriesMax
  if (!isLast) await components.sleep(retryDelayMs(settings, attempt - 1))
  const head = await components.catalog.load()
  const committed = findSettled(head, commit.token)
  if (committed !== undefined) return committed
  if (isLast) throw error
  assertRetryable(commit, head)
  return { kind: 'retry', state: head }
}

/** A table that is there already is another's, or was made by this very commit, sent twice on its way. */
async function settleCreate(
  { table, token }: SnapshotCommit,
  error: FloeError,
  { catalog }: CommitComponents,
): Promise<Settled> {
  if (error.code !== 'commit-conflict' && error.code !== 'already-exists') throw error
  const head = await catalog.load().catch(() => undefined)
  if (head === undefined) throw error
  const committed = findSettled(head, token)
  if (committed !== undefined) return committed
  throw new FloeError(
    'already-exists',
    `table ${table} was made by another while its data was being written`,
    {
      hint: 'load again, to append to the table that is there or to replace it',
      cause: error,
    },
  )
}

async function settleUnknown(
  { table, token }: SnapshotCommit,
  error: FloeError,
  settings: WriteSettings,
  { catalog, sleep }: CommitComponents,
): Promise<Settled> {
  for (let check = 0; check <= settings.commitStatusChecksMax; check++) {
    if (check > 0) await sleep(retryDelayMs(settings, check))
    const head = await catalog.load().catch(() => undefined)
    const committed = head === undefined ? undefined : findSettled(head, token)
    if (committed !== undefined) return committed
  }
  throw new FloeError('commit-state-unknown', `the commit to ${table} may or may not have happened`, {
    hint: `look for ${commitTokenProperty}=${token} in the summaries of its snapshots before loading again`,
    cause: error,
  })
}

function findSettled(state: TableState, token: string): Extract<Settled, { kind: 'committed' }> | undefined {
  const snapshotId = findCommitted(state.metadata, token)
  const snapshot = snapshotId === undefined ? undefined : snapshotById(state.metadata, snapshotId)
  return snapshot === undefined ? undefined : { kind: 'committed', state, snapshot }
}

function retryDelayMs(
  { commitRetryDelayMsMin, commitRetryDelayMsMax }: WriteSettings,
  doublings: number,
): number {
  return Math.min(commitRetryDelayMsMax, commitRetryDelayMsMin * 2 ** doublings)
}

/** Files are written for one schema and one spec: a head that changed either cannot take them unseen. */
function assertRetryable(commit: SnapshotCommit, head: TableState): void {
  const { base, table, restsOn = [] } = commit
  const property = restsOn.find((name) => base.metadata.properties[name] !== head.metadata.properties[name])
  const what = property === undefined ? whatChanged(commit, head) : `has got another ${property}`
  if (what === undefined) return
  throw new FloeError('commit-conflict', `${table} ${what} while its data was being written`, {
    hint: 'load again: the files of this load do not fit the table as it is',
  })
}

function whatChanged(commit: SnapshotCommit, { metadata: now }: TableState): string | undefined {
  const { metadata: before } = commit.base
  if (before.tableUuid !== now.tableUuid) return 'was dropped and made again'
  if (before.currentSchemaId !== now.currentSchemaId) return 'has got another schema'
  if (before.defaultSpecId !== now.defaultSpecId) return 'has got another partition spec'
  if (addsSortOrder(commit) && before.sortOrders.length !== now.sortOrders.length)
    return 'has got another sort order'
  return undefined
}
