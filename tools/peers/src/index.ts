export {
  installDuckDb,
  installDuckDbExtensions,
  installPyIceberg,
  installPyIcebergGlue,
  installPyIcebergS3fs,
  installSchemathesis,
  installTpchGenerator,
} from './python.ts'
export { installPostgresDriver, installPyIcebergLoaders } from './load-peers.ts'
export { installS3Server, startS3Server } from './s3-server.ts'
export { installMinio, isMinioInstalled, startMinio } from './minio.ts'
export { freePort } from './s3-process.ts'
export type { S3Server } from './s3-process.ts'
export { installAwsServer, startAwsServer } from './moto.ts'
export type { AwsServer } from './moto.ts'
export { installIcebergKit, runIcebergKit } from './iceberg-java.ts'
export type { KitClass, KitOptions, KitResult } from './iceberg-java.ts'
export { runIcebergProgram } from './iceberg-program.ts'
export { installSpark, sparkJars, startSpark } from './spark.ts'
export type { PeerRow, Spark } from './spark.ts'
export { installTrino, startTrino } from './trino.ts'
export type { Trino, TrinoCatalogs, TrinoRow } from './trino.ts'
export { initPgbench, startPgbench } from './pgbench.ts'
export { startLineProcess } from './line-process.ts'
export type { LineProcess } from './line-process.ts'
export { startNessie } from './nessie.ts'
export type { Nessie } from './nessie.ts'
export { installRestReference, startRestReference } from './rest-reference.ts'
export type { PeerCatalog, RestReference } from './rest-reference.ts'
export { dataFolder, startServerProcess } from './server-process.ts'
