import type { TableDescription, TableDirectory } from '@floe/agent'
import type { LoadedTable, Namespace, TableIdentifier } from '@floe/catalog'
import type { ReadableCatalog } from '@floe/catalog-server'
import { currentSchema, currentSnapshot, toFloeError } from '@floe/iceberg'

/** Tables loaded at once: each is a request to the catalog and the read of a metadata file. */
const tableLoadsMax = 8

/** Every namespace of the catalog, or below `parent`, each before those in it. */
export async function listAllNamespaces(
  catalog: ReadableCatalog,
  parent?: Namespace,
): Promise<readonly Namespace[]> {
  const found: Namespace[] = []
  for (const namespace of await catalog.listNamespaces(parent))
    found.push(namespace, ...(await listAllNamespaces(catalog, namespace)))
  return found
}

/** Every table of the catalog, namespace by namespace. */
export async function listAllTables(
  catalog: ReadableCatalog,
  parent?: Namespace,
): Promise<readonly TableIdentifier[]> {
  const tables: TableIdentifier[] = []
  for (const namespace of await catalog.listNamespaces(parent)) {
    tables.push(...(await catalog.listTables(namespace)), ...(await listAllTables(catalog, namespace)))
  }
  return tables
}

/** The catalog as the agent sees it: schemas, comments and row counts from metadata alone, never row data. */
export function catalogDirectory(catalog: ReadableCatalog): TableDirectory {
  return {
    async listTables() {
      const identifiers = await listAllTables(catalog)
      const tables: TableDescription[] = []
      for (let start = 0; start < identifiers.length; start += tableLoadsMax) {
        const group = identifiers.slice(start, start + tableLoadsMax)
        tables.push(
          ...(await Promise.all(group.map((identifier) => describeIfThere(catalog, identifier)))).flat(),
        )
      }
      return tables
    },
  }
}

/** A table that was dropped since it was listed is none to speak of. */
async function describeIfThere(
  catalog: ReadableCatalog,
  identifier: TableIdentifier,
): Promise<readonly TableDescription[]> {
  try {
    return [describeTable(await catalog.loadTable(identifier, { snapshots: 'refs' }))]
  } catch (error) {
    if (toFloeError(error).code === 'not-found') return []
    throw error
  }
}

function describeTable({ identifier, metadata, readRestrictions }: LoadedTable): TableDescription {
  const snapshot = currentSnapshot(metadata)
  // The count of all rows tells of those that are hidden.
  const counted = readRestrictions?.rowFilter === undefined ? snapshot : undefined
  const rowCount = Number(counted?.summary?.['total-records'])
  const doc = metadata.properties['comment']
  return {
    name: [...identifier.namespace, identifier.name].join('.'),
    columns: currentSchema(metadata).fields.map(({ name, type, required, doc: comment }) => ({
      name,
      type,
      required,
      ...(comment === undefined ? {} : { doc: comment }),
    })),
    ...(doc === undefined ? {} : { doc }),
    ...(Number.isSafeInteger(rowCount) ? { rowCount } : {}),
    ...(snapshot === undefined ? {} : { snapshotId: snapshot.snapshotId }),
  }
}
