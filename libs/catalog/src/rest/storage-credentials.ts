import type { JsonValue } from '@floe/iceberg'
import type { LoadedTable, RemoteSigning, StorageCredential } from '../catalog.ts'
import { protocolError, readJsonObject, readStringMap, readStrings } from './rest-config.ts'

/** Spec `StorageCredential`s of a table, a plan, or of `/credentials`. */
export function parseStorageCredentials(value: JsonValue | undefined): readonly StorageCredential[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw protocolError('storage-credentials is not an array')
  return value.map((item: JsonValue) => {
    const credential = readJsonObject(item, 'storage credential')
    const { prefix } = credential
    return {
      prefix: typeof prefix === 'string' ? prefix : '',
      config: readStringMap(credential['config'], 'storage credential'),
    }
  })
}

/** Spec `RemoteSigningConfig`. */
export function parseRemoteSigning(value: JsonValue | undefined): RemoteSigning | undefined {
  if (value === undefined || value === null) return undefined
  const signing = readJsonObject(value, 'remote-signing-config')
  const headers = Object.entries(readJsonObject(signing['headers'] ?? {}, 'remote-signing-config headers'))
  return {
    properties: readStringMap(signing['properties'], 'remote-signing-config properties'),
    headers: Object.fromEntries(headers.map(([name, values]) => [name, readStrings(values, name)])),
  }
}

/** When the first of a table's credentials ends; never, when none says so. */
export function credentialsEndMs({ config, storageCredentials = [] }: LoadedTable): number {
  const ends = [config, ...storageCredentials.map((credential) => credential.config)].flatMap((settings) => {
    const end = Number(settings['s3.session-token-expires-at-ms'])
    return end > 0 ? [end] : []
  })
  return Math.min(Number.POSITIVE_INFINITY, ...ends)
}
