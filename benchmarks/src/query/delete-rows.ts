import { randomInt, randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import {
  currentSchema,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  manifestFileFor,
  snapshotByRef,
} from '@floe/iceberg'
import type { DataFile, ManifestEntry, Snapshot, TableMetadata } from '@floe/iceberg'
import type { Lakehouse } from '@floe/lakehouse'
import { planScan } from '@floe/planner'
import { joinLocation, locationToFilePath } from '@floe/storage'
import { DuckDBInstance } from '@duckdb/node-api'

/**
 * Deletes scattered rows of a table by position, on a branch, so that `main` stays as it is: one of `every` rows of
 * each data file.
 */
export async function deleteRowsOnBranch(
  lakehouse: Lakehouse,
  table: string,
  { branch, every }: { readonly branch: string; readonly every: number },
): Promise<void> {
  const catalog = await lakehouse.catalog()
  const identifier = { namespace: ['bench'], name: table }
  const { metadata } = await catalog.loadTable(identifier)
  if (metadata.refs[branch] !== undefined) return
  const { tasks } = await planScan({ metadata }, { store: lakehouse.store })
  const deletes: DataFile[] = []
  for (const { dataFile } of tasks) deletes.push(await writePositions(dataFile, every, metadata))
  const snapshot = await stageDeletes(lakehouse, metadata, deletes)
  const ref = { snapshotId: snapshot.snapshotId, type: 'branch' } as const
  await catalog.commitTable(identifier, {
    requirements: [],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', refName: branch, ref },
    ],
  })
}

async function writePositions(
  { filePath, specId, partition, recordCount }: DataFile,
  every: number,
  { location }: TableMetadata,
): Promise<DataFile> {
  const deletes = joinLocation(location, 'data', `deletes-${randomUUID()}.parquet`)
  const target = locationToFilePath(deletes)
  const instance = await DuckDBInstance.create()
  try {
    const connection = await instance.connect()
    await connection.run(
      `COPY (SELECT '${filePath}' AS file_path, range AS pos FROM range(${recordCount}) WHERE hash(range) % ${every} = 0)
       TO '${target}' (FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})`,
    )
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM '${target}'`)
    const { size } = await stat(path.resolve(target))
    return {
      content: 'position-deletes',
      filePath: deletes,
      fileFormat: 'parquet',
      specId,
      partition,
      recordCount: Number(counted.getRows()[0]?.[0]),
      fileSizeInBytes: size,
    }
  } finally {
    instance.closeSync()
  }
}

async function stageDeletes(
  { store }: Lakehouse,
  metadata: TableMetadata,
  deletes: readonly DataFile[],
): Promise<Snapshot> {
  const parent = snapshotByRef(metadata, 'main')
  const snapshotId = BigInt(randomInt(2 ** 47))
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const commit = { snapshotId, sequenceNumber }
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)
  if (spec === undefined || parent?.manifestList === undefined) throw new Error('the table has no data')
  const { formatVersion, location } = metadata
  const header = { schema: currentSchema(metadata), spec, formatVersion, content: 'deletes' } as const
  const entries = deletes.map((dataFile): ManifestEntry => ({ status: 'added', snapshotId, dataFile }))
  const bytes = encodeManifest(header, entries)
  const manifest = joinLocation(location, 'metadata', `${randomUUID()}-m0.avro`)
  await store.put(manifest, bytes)
  const manifestList = joinLocation(location, 'metadata', `snap-${snapshotId}.avro`)
  const inherited = decodeManifestList(await store.get(parent.manifestList))
  const own = manifestFileFor(manifest, bytes.byteLength, header, entries, commit)
  const list = { ...commit, formatVersion, parentSnapshotId: parent.snapshotId }
  await store.put(manifestList, encodeManifestList([own, ...inherited], list))
  return {
    ...commit,
    parentSnapshotId: parent.snapshotId,
    timestampMs: Date.now(),
    manifestList,
    schemaId: metadata.currentSchemaId,
    summary: { operation: 'delete' },
  }
}
