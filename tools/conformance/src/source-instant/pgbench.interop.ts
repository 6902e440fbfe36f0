import { initPgbench, startPgbench } from '@floe/peers'
import { describeBusySource } from './busy-source.ts'

describeBusySource('pgbench', {
  makeTables: ({ url }) => initPgbench(url),
  start: ({ url }) => startPgbench(url),
})
