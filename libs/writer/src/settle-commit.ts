import { FloeError } from '@floe/iceberg'
import type { Snapshot } from '@floe/iceberg'
import { commitTokenProperty, findCommitted } from './snapshot-change.ts'
import type { CommitComponents, SnapshotCommit, TableState } from './snapshot-commit.ts'
import type { WriteSettings } from './write-settings.ts'

type Settled =
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
  const isRace = error.code === 'commit-conflict' && commit.base.metadataLocation !== undefined
  if (!isRace || attempt > settings.commitRetriesMax) throw error
  const delay = Math.min(settings.commitRetryDelayMsMax, settings.commitRetryDelayMsMin * 2 ** (attempt - 1))
  await components.sleep(delay)
  const state = await components.catalog.load()
  assertRetryable(commit, state)
  return { kind: 'retry', state }
}

async function settleUnknown(
  { table, token }: SnapshotCommit,
  error: FloeError,
  settings: WriteSettings,
  { catalog, sleep }: CommitComponents,
): Promise<Settled> {
  for (let check = 0; check <= settings.commitStatusChecksMax; check++) {
    if (check > 0) await sleep(settings.commitRetryDelayMsMin * 2 ** check)
    const state = await catalog.load().catch(() => undefined)
    const snapshotId = state === undefined ? undefined : findCommitted(state.metadata, token)
    const snapshot = state?.metadata.snapshots.find((candidate) => candidate.snapshotId === snapshotId)
    if (state !== undefined && snapshot !== undefined) return { kind: 'committed', state, snapshot }
  }
  throw new FloeError('commit-state-unknown', `the commit to ${table} may or may not have happened`, {
    hint: `look for ${commitTokenProperty}=${token} in the summaries of its snapshots before loading again`,
    cause: error,
  })
}

/** Files are written for one schema and one spec: a head that changed either cannot take them unseen. */
function assertRetryable({ base, table }: SnapshotCommit, head: TableState): void {
  const what = whatChanged(base, head)
  if (what === undefined) return
  throw new FloeError('commit-conflict', `${table} ${what} while its data was being written`, {
    hint: 'load again: the files of this load do not fit the table as it is',
  })
}

function whatChanged({ metadata: before }: TableState, { metadata: now }: TableState): string | undefined {
  if (before.tableUuid !== now.tableUuid) return 'was dropped and made again'
  if (before.currentSchemaId !== now.currentSchemaId) return 'has got another schema'
  if (before.defaultSpecId !== now.defaultSpecId) return 'has got another partition spec'
  return undefined
}
