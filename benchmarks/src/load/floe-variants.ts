import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SettingFlags } from '@floe/lakehouse'
import type { ObjectStore } from '@floe/storage'
import type { LoadFigures, LoadRequest, NullVariant } from './load-request.ts'
import type { LoadRun, LoadSource, LoadVariant, RunPlace } from './load-variant.ts'
import { dataFilesOf } from './rest-lake.ts'
import type { RestLake } from './rest-lake.ts'

const script = fileURLToPath(new URL('./load-process.ts', import.meta.url))
/** As the floe command does: modules are compiled once, not in each run. */
const env = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') }

type Asked = Pick<LoadRequest, 'variant' | 'flags' | 'method'>

function processOf({ url, table, rows, workers }: LoadSource, place: RunPlace, asked: Asked): LoadRun {
  const request: LoadRequest = { url, table, rows, workers, ...asked, ...place, namespace: place.name }
  return { command: process.execPath, args: [script, JSON.stringify(request)], env }
}

/** The same queries on as many connections, bytes thrown away: the limit of every load. */
export function drainVariant(source: LoadSource): LoadVariant {
  return (place) => processOf(source, place, { variant: 'drain' })
}

export function nullVariant(source: LoadSource, variant: NullVariant): LoadVariant {
  return (place) => processOf(source, place, { variant })
}

/** Into local files, with a catalog in a SQLite file. */
export function localVariant(source: LoadSource, store: ObjectStore, method: 'copy' | 'cursor'): LoadVariant {
  return (place) => {
    const warehouse = `file:${place.folder}/warehouse`
    const flags = { catalog: `sqlite:${place.folder}/catalog.db`, warehouse }
    const run = processOf(source, place, { variant: 'load', flags, method })
    return { ...run, written: (figures) => filesOf(store, figures) }
  }
}

/** Into S3, with a catalog in a local SQLite file. */
export function s3Variant(source: LoadSource, { s3, store }: RestLake): LoadVariant {
  return (place) => {
    const catalog = `sqlite:${place.folder}/catalog.db`
    const flags = { catalog, warehouse: `s3://${s3.bucket}/floe`, ...s3Flags(s3) }
    const run = processOf(source, place, { variant: 'load', flags })
    return { ...run, written: (figures) => filesOf(store, figures) }
  }
}

/** Into S3 through the REST catalog that the peers use. */
export function restVariant(source: LoadSource, { uri, s3, store }: RestLake): LoadVariant {
  return (place) => {
    const run = processOf(source, place, { variant: 'load', flags: { catalog: uri, ...s3Flags(s3) } })
    return { ...run, written: (figures) => filesOf(store, figures) }
  }
}

function s3Flags({ endpoint, region, accessKeyId, secretAccessKey }: RestLake['s3']): SettingFlags {
  return {
    s3Endpoint: endpoint,
    s3Region: region,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
  }
}

function filesOf(store: ObjectStore, { metadataLocation = '' }: LoadFigures): Promise<readonly string[]> {
  return dataFilesOf(store, metadataLocation)
}
