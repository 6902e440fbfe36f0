export { installDuckDb, installPyIceberg, installTpchGenerator } from './python.ts'
export { freePort, startS3Server } from './s3-server.ts'
export type { S3Server } from './s3-server.ts'
