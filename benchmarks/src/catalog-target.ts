import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A catalog server under measurement, with what the protocol has no quick way for. */
export type CatalogTarget = AsyncDisposable & {
  readonly name: string
  readonly version: string
  readonly pid: number
  /** What `/namespaces` is below. */
  readonly base: string
  /** Location of the folder of tables that are registered. */
  readonly tables: string
  /** Writes a metadata file that the server can read. */
  writeMetadata(location: string, text: string): Promise<void>
  /** Fills an empty namespace with tables that are listed and never loaded. */
  fillNamespace(namespace: string, tables: number): Promise<void>
}

export const catalogServers = [
  'floe-sqlite',
  'floe-postgres',
  'reference-sqlite',
  'reference-postgres',
  'nessie',
] as const
export type CatalogServerName = (typeof catalogServers)[number]

export async function writeLocalFile(location: string, text: string): Promise<void> {
  const file = fileURLToPath(location)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
}
