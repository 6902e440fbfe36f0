export { installDuckDb, installPyIceberg, installTpchGenerator } from './python.ts'
export { freePort, installS3Server, startS3Server } from './s3-server.ts'
export type { S3Server } from './s3-server.ts'
