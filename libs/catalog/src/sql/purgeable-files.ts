import type { TableMetadata } from '@floe/iceberg'
import { findReachableFiles } from '../reachable-files.ts'
import { folderOfMetadata, ownedFiles, tableFolders } from '../table-folders.ts'
import type { CatalogContext } from './catalog-context.ts'

/**
 * What goes with a table that is purged: the files that it reaches in its own folders, those that it was in before
 * included, and outside of every other table's.
 */
export async function findPurgeableFiles(
  { rows, store }: Pick<CatalogContext, 'rows' | 'store'>,
  metadata: TableMetadata,
  metadataLocation: string,
): Promise<readonly string[]> {
  const reached = await findReachableFiles(store, metadata, metadataLocation)
  const others = await rows.listOtherMetadata(metadata.tableUuid)
  const log = metadata.metadataLog.map(({ metadataFile }) => metadataFile)
  const own = [...tableFolders(metadata), ...[metadataLocation, ...log].map(folderOfMetadata)]
  return ownedFiles(reached, [...new Set(own)], others.map(folderOfMetadata))
}
