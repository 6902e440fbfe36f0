import { joinLocation } from '@floe/storage'
import type { ObjectInfo, ObjectStore } from '@floe/storage'
import type { LoadedTable } from '@floe/catalog'
import { decodeCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { decodeStatePlan, encodeStatePlan } from './state-plan.ts'
import type { OpenStatePlan, StatePlan } from './state-plan.ts'

/**
 * What a load that was killed has left for the next one: `floe-load-<id>/plan-<generation>.json`, made by who takes the
 * load up, and `files-<generation>-<worker>-<number>.json`, one for each set of files that hold whole chunks.
 * Each is written once. The plan of the highest generation counts, and making it is how one of two that race for the
 * files gets them: to commit or to remove them, too, a load closes its state by making the next plan.
 */
export type LoadState = {
  readonly id: string
  readonly folder: string
  readonly generation: number
  readonly plan: StatePlan
  readonly objects: readonly ObjectInfo[]
}

/** A set of files together with the blocks whose rows they hold. */
export type NamedCheckpoint = Checkpoint & { readonly name: string }

const folderPrefix = 'floe-load-'
const planPattern = /^plan-(\d+)\.json$/
const readsMax = 16

/**
 * Where the states of loads into a table are: in its metadata folder. A table that is only staged gets another folder
 * each time, so those of its loads are beside it. `undefined` where the catalog gives keys for the folder alone.
 */
export function stateHome({
  metadata: { location, tableUuid },
  metadataLocation,
  ...access
}: LoadedTable): string | undefined {
  if (metadataLocation !== undefined || !isOwnLocation(location, tableUuid))
    return joinLocation(location, 'metadata')
  const hasOwnKeys = (access.storageCredentials ?? []).length > 0 || access.remoteSigning !== undefined
  if (hasOwnKeys || Object.keys(access.config).some((name) => name.startsWith('s3.'))) return undefined
  const slash = location.lastIndexOf('/')
  return joinLocation(
    location.slice(0, slash),
    'floe-loads',
    location.slice(slash + 1, location.lastIndexOf('-')),
  )
}

/** The folder's name ends in digits of the table's uuid, so that no other table is, or ever will be, in it. */
export function isOwnLocation(location: string, tableUuid: string): boolean {
  return location.endsWith(`-${tableUuid.replaceAll('-', '').slice(0, 8)}`)
}

export function stateFolder(home: string, id: string): string {
  return joinLocation(home, `${folderPrefix}${id}`)
}

export function planLocation(folder: string, generation: number): string {
  return joinLocation(folder, `plan-${generation}.json`)
}

/** Every state in a home, newest first. One whose plan cannot be read is closed: nobody goes on with it. */
export async function findLoadStates(store: ObjectStore, home: string): Promise<readonly LoadState[]> {
  const objects: ObjectInfo[] = []
  for await (const object of store.list(joinLocation(home, folderPrefix))) objects.push(object)
  return readLoadStates(store, objects)
}

/** The states among objects that were listed, newest first. */
export async function readLoadStates(
  store: ObjectStore,
  objects: readonly ObjectInfo[],
): Promise<readonly LoadState[]> {
  const byFolder = Map.groupBy(
    objects.filter(({ location }) => folderOf(location) !== undefined),
    ({ location }) => folderOf(location) ?? '',
  )
  const states = await Promise.all([...byFolder].map((entry) => readLoadState(store, ...entry)))
  return states
    .filter((state) => state !== undefined)
    .toSorted((left, right) => lastWritten(right) - lastWritten(left))
}

/** When a load has last written to its state. */
export function lastWritten({ objects }: LoadState): number {
  return Math.max(...objects.map(({ lastModifiedMs }) => lastModifiedMs))
}

function folderOf(location: string): string | undefined {
  const slash = location.lastIndexOf('/')
  const folder = location.slice(0, slash)
  return folder.slice(folder.lastIndexOf('/') + 1).startsWith(folderPrefix) ? folder : undefined
}

async function readLoadState(
  store: ObjectStore,
  folder: string,
  objects: readonly ObjectInfo[],
): Promise<LoadState | undefined> {
  const generations = objects.flatMap(({ location }) => {
    const number = planPattern.exec(nameOf(location))?.[1]
    return number === undefined ? [] : [Number(number)]
  })
  if (generations.length === 0) return undefined
  const generation = Math.max(...generations)
  const id = nameOf(folder).slice(folderPrefix.length)
  const plan = decodeStatePlan(await store.get(planLocation(folder, generation)))
  return { id, folder, generation, plan: plan ?? { kind: 'closed' }, objects }
}

/** The checkpoints that count: of the newest generation, and those of older ones that it keeps. */
export async function readCheckpoints(
  store: ObjectStore,
  { objects, generation, plan }: LoadState,
): Promise<readonly NamedCheckpoint[]> {
  const kept = new Set(plan.kind === 'open' ? plan.keeps : [])
  const counting = objects.filter(({ location }) => {
    const name = nameOf(location)
    return kept.has(name) || name.startsWith(`files-${generation}-`)
  })
  const found: NamedCheckpoint[] = []
  for (let start = 0; start < counting.length; start += readsMax) {
    const read = counting.slice(start, start + readsMax).map(async ({ location }) => {
      const checkpoint = decodeCheckpoint(await store.get(location))
      return checkpoint === undefined ? [] : [{ ...checkpoint, name: nameOf(location) }]
    })
    found.push(...(await Promise.all(read)).flat())
  }
  return found
}

/** Makes the plan of the next generation. False when another has made it: the files are that one's. */
export async function takeOver(
  store: ObjectStore,
  { folder, generation }: Pick<LoadState, 'folder' | 'generation'>,
  plan: OpenStatePlan,
): Promise<boolean> {
  return store.putIfAbsent(planLocation(folder, generation + 1), encodeStatePlan(plan))
}

/** After it nobody goes on with the state. False when another has taken it over. */
export async function closeState(
  store: ObjectStore,
  { folder, generation }: Pick<LoadState, 'folder' | 'generation'>,
): Promise<boolean> {
  return store.putIfAbsent(planLocation(folder, generation + 1), encodeStatePlan({ kind: 'closed' }))
}

/** Removes a state that is closed: its plans last, since one without a plan is nobody's. */
export async function removeState(store: ObjectStore, folder: string): Promise<void> {
  const objects: string[] = []
  for await (const { location } of store.list(`${folder}/`)) objects.push(location)
  const isPlan = (location: string): boolean => planPattern.test(nameOf(location))
  await store.delete(objects.filter((location) => !isPlan(location)))
  await store.delete(objects.filter(isPlan))
}

function nameOf(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1)
}
