export { openS3Store } from './s3-store.ts'
export type { S3Store } from './s3-store.ts'
