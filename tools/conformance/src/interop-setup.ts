import { installAwsServer, installPyIcebergGlue, installRestReference, installS3Server } from '@floe/peers'

/** Installs what the lane needs before its first test, so that a missing tool fails the lane at once and by name. */
export default async function setup(): Promise<void> {
  await installPyIcebergGlue()
  await installS3Server()
  await installAwsServer()
  await installRestReference()
}
