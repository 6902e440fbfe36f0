import {
  installAwsServer,
  installMinio,
  installPyIceberg,
  installPyIcebergGlue,
  installRestReference,
  installS3Server,
} from '@floe/peers'
import { isFullLane } from './lane.ts'

/** Installs what the lane needs before its first test, so that a missing tool fails the lane at once and by name. */
export default async function setup(): Promise<void> {
  await installPyIceberg()
  await installS3Server()
  if (!isFullLane) return
  await installPyIcebergGlue()
  await installAwsServer()
  await installRestReference()
  await installMinio()
}
