import { dataFilesOf } from './rest-lake.ts'
import type { LakeS3, RestLake } from './rest-lake.ts'

/** The table that a peer makes in the shared catalog: what its script is told, and where its files are afterwards. */
export function restTable(
  lake: RestLake,
  namespace: string,
  source: string,
): {
  readonly request: {
    readonly uri: string
    readonly s3: LakeS3
    readonly namespace: string
    readonly name: string
  }
  readonly written: () => Promise<readonly string[]>
} {
  const name = tableName(source)
  return {
    request: { uri: lake.uri, s3: lake.s3, namespace, name },
    written: async () => dataFilesOf(lake.store, await lake.metadataLocation(namespace, name)),
  }
}

/** `lineitem` of `public.lineitem`. */
export function tableName(source: string): string {
  return source.slice(source.indexOf('.') + 1)
}
