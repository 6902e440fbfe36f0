import {
  installAwsServer,
  installMinio,
  installPyIcebergGlue,
  installRestReference,
  installS3Server,
} from '@floe/peers'
import { isFullLane } from './lane.ts'

/** Installs what the lane needs before its first test, so that a missing tool fails the lane at once and by name. */
export default async function setup(): Promise<void> {
  await installPyIcebergGlue()
  await installS3Server()
  await installAwsServer()
  await installRestReference()
  if (isFullLane) await installMinio()
}
