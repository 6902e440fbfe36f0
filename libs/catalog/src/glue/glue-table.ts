import type { Table, TableInput } from '@aws-sdk/client-glue'
import { FloeError } from '@floe/iceberg'
import type { TableMetadata } from '@floe/iceberg'
import type { TableIdentifier } from '../catalog.ts'
import { formatIdentifier } from '../identifier.ts'
import { glueColumns } from './glue-column.ts'

// Parameters of a Glue table, as Java's and PyIceberg's catalogs write and read them.
const typeParameter = 'table_type'
const locationParameter = 'metadata_location'
const previousParameter = 'previous_metadata_location'

/** What the catalog needs of a table in Glue. */
export type GlueRow = {
  readonly table: Table
  readonly metadataLocation: string
  /** Changes with every update: the one to compare and swap on. */
  readonly versionId: string
}

export function isIcebergTable({ Parameters }: Table): boolean {
  return Parameters?.[typeParameter]?.toUpperCase() === 'ICEBERG'
}

/** @throws FloeError corrupt-data, unsupported when the table cannot be used safely */
export function glueRow(identifier: TableIdentifier, table: Table): GlueRow {
  const metadataLocation = table.Parameters?.[locationParameter]
  if (metadataLocation === undefined || metadataLocation === '') {
    throw new FloeError(
      'corrupt-data',
      `${formatIdentifier(identifier)} has no ${locationParameter} in Glue`,
      {
        hint: 'drop the table in Glue and register its last metadata file',
      },
    )
  }
  return { table, metadataLocation, versionId: table.VersionId ?? '' }
}

/** A table as it is written to Glue; what others keep in it stays. */
export function tableInput(
  name: string,
  metadata: TableMetadata,
  metadataLocation: string,
  previous?: GlueRow,
): TableInput {
  const { Parameters, Owner, Retention, Description } = previous?.table ?? {}
  const description = metadata.properties['comment'] ?? Description
  return {
    Name: name,
    // Other kinds of table are left to Hive to clean up after.
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...Parameters,
      [typeParameter]: 'ICEBERG',
      [locationParameter]: metadataLocation,
      ...(previous === undefined ? {} : { [previousParameter]: previous.metadataLocation }),
    },
    StorageDescriptor: { Columns: glueColumns(metadata), Location: metadata.location },
    ...(description === undefined ? {} : { Description: description }),
    ...(Owner === undefined ? {} : { Owner }),
    ...(Retention === undefined ? {} : { Retention }),
  }
}

/** The same table under another name. */
export function renamedInput(name: string, table: Table): TableInput {
  const { Parameters, Owner, Retention, Description, TableType, StorageDescriptor } = table
  const kept = { Parameters, Owner, Retention, Description, TableType, StorageDescriptor }
  const said = Object.entries(kept).filter(([, value]) => value !== undefined)
  return { Name: name, ...Object.fromEntries(said) }
}
