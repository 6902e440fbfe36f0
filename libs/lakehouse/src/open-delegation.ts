import type { DelegationSettings } from '@floe/catalog-server'
import type { StoreSettings } from '@floe/storage'
import { openS3RequestSigner, openSessionVendor } from '@floe/storage/s3'
import type { SessionVendor } from '@floe/storage/s3'
import type { S3Delegation } from './delegation-settings.ts'
import { system } from './system.ts'

export type OpenDelegation = { readonly settings: DelegationSettings; close(): void }

/** Access of the catalog's clients to tables in S3, with the keys of the store. */
export function openDelegation(
  { s3 = {} }: StoreSettings,
  { sessions, remoteSigning, signerUri, deletes, chosenLocations }: S3Delegation,
): OpenDelegation {
  const vendor = sessions === undefined ? undefined : openSessionVendor(s3, sessions, system)
  const signer = remoteSigning ? openS3RequestSigner(s3, system) : undefined
  return {
    settings: {
      deletes,
      chosenLocations,
      ...(vendor === undefined ? {} : { vendor: { vend: (grant) => vendedSettings(vendor, grant) } }),
      ...(signer === undefined ? {} : { signer }),
      ...(signerUri === undefined ? {} : { signerUri }),
    },
    close: () => {
      vendor?.close()
      signer?.close()
    },
  }
}

/** Keys by the names that clients of tables know them by. */
async function vendedSettings(
  vendor: SessionVendor,
  grant: Parameters<SessionVendor['vend']>[0],
): Promise<{ readonly config: Readonly<Record<string, string>> } | undefined> {
  const keys = await vendor.vend(grant)
  if (keys === undefined) return undefined
  return {
    config: {
      's3.access-key-id': keys.accessKeyId,
      's3.secret-access-key': keys.secretAccessKey,
      's3.session-token': keys.sessionToken,
      's3.session-token-expires-at-ms': String(keys.expiresAtMs),
    },
  }
}
